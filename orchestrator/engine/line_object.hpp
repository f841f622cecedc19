// LineObject: the members of a JSON object that is one line of a history row. Lines as we write them (no spaces, plain
// ASCII strings, integers, true) are read where they stand, which is most of what a replay parses; any other line goes to
// the JSON parser, whose word it is what is acceptable. Pure; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "skald/json.hpp"
#include "skald/result.hpp"

namespace skald::engine {

struct LineMember {
  std::string_view name;
  json::Kind kind = json::Kind::kNull;
  std::string_view text;  ///< of a string its content, of a number its digits

  [[nodiscard]] std::optional<std::int64_t> number() const;
};

class LineObject {
 public:
  /// Reads a line; what was read before is forgotten. Members point into the line, which has to outlive them.
  [[nodiscard]] Result<void> read(std::string_view line);
  [[nodiscard]] std::span<const LineMember> members() const { return members_; }

 private:
  bool read_plain(std::string_view line);
  bool holds(std::string_view name) const;

  std::vector<LineMember> members_;
  std::optional<json::Document> document_;  ///< of a line that is not plain: members point into it
};

}  // namespace skald::engine
