// Snippets of docs/ that a test compiles: between two marks in the test's own file, the same as the page's first C++ block.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace skald::snippets {

inline std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return "no " + begin;
  return text.substr(from + begin.size(), text.find(end, from + begin.size()) - from - begin.size());
}

/// `page` and `test`: their paths, in docs/ and in tests/unit/.
inline void expect_same_snippet(const std::string& page, const std::string& test) {
  const std::string root = SKALD_SOURCE_FOLDER;
  const std::string shown = between(contents(root + "/docs/" + page), "```cpp\n", "```\n");
  EXPECT_GT(shown.size(), 500u);
  EXPECT_EQ(shown,
            between(contents(root + "/tests/unit/" + test), "// snippet begins\n", "// snippet ends\n"));
}

}  // namespace skald::snippets
