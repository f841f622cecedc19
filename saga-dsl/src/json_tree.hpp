// The memory of a Document, private to the JSON sources: the text, in which RapidJSON unescaped strings where
// they stand, and the nodes. The children of a container lie side by side, so that the n-th is found at once; in
// an object a name and its value alternate. Written by the parser, read-only after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "skald/json.hpp"

namespace skald::json::detail {

inline constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // positions are 32 bits
inline constexpr int kMostDepth = 1000;                          // text() recurses this deep

struct Node {
  std::uint32_t offset = 0;  // in the text: the first byte of a container or number, or of a string's content
  std::uint32_t size = 0;    // bytes of a string or number, children of a container (names do not count)
  std::uint32_t first = 0;   // index of a container's first child
  Kind kind = Kind::kNull;
  bool flag = false;  // a boolean's value; of a number, that it has neither fraction nor exponent
};

struct Tree {
  std::string text;
  std::vector<Node> nodes;  // the root comes last
  [[nodiscard]] std::string_view view(const Node& node) const noexcept {
    return {text.data() + node.offset, node.size};
  }
};

/// A text from outside, fit for an error message: control characters replaced, cut after 200 bytes.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace skald::json::detail
