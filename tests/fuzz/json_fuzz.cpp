// Fuzz target for JSON: the parser (RapidJSON's reader below our events and limits), pointers, the writer and the field
// mapping. What holds for any bytes: no crash; an error has its code and names a byte of the text; what is accepted holds
// only what the writer can write and reads back unchanged, alone or inside an array, and nothing may follow it; every
// double is the C library's; tighter limits only refuse more.
// libFuzzer calls the entry from one thread; json_fuzz_seeds.cpp calls it for every seed as an ordinary test.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "skald/fields.hpp"

namespace {

using skald::json::Document;
using skald::json::Kind;
using skald::json::Value;

enum class Colour { red, green };
SKALD_ENUM(Colour, red, green)

struct Everything {
  std::string text;
  std::int64_t whole = 0;
  std::uint8_t small = 0;
  double number = 0;
  bool flag = false;
  skald::Decimal money;
  std::optional<Colour> colour;
  std::vector<Everything> children;
  std::map<std::string, std::string> names;
  skald::Nothing nothing;
};
SKALD_FIELDS(Everything, text, whole, small, number, flag, money, colour, children, names, nothing)

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Extent {
  int depth = 0;
  std::size_t values = 0;
};

void sound_string(std::string_view string) {
  skald::json::Writer writer;
  writer.string(string);
  require(!writer.first_replacement(), "a string that cannot be written was accepted");
}

void sound_number(Value value) {
  const std::string text(value.number_text());
  require(text.size() <= skald::json::kMaximumNumberLength, "a number beyond its limit");
  require(value.as_double() == std::strtod(text.c_str(), nullptr), "double");
  const bool whole = text.find_first_of(".eE") == std::string::npos;
  require(whole || value.kind() == Kind::kNumber, "an integer with a fraction");
  require((value.kind() == Kind::kInteger) == (value.as_int64() || value.as_uint64()),
          "an integer beyond 64 bits");
  if (value.kind() == Kind::kInteger && text != "-0")
    require(
        (value.as_int64() ? std::to_string(*value.as_int64()) : std::to_string(*value.as_uint64())) == text,
        "integer");
}

void sound(Value value, int depth, Extent& extent) {
  ++extent.values;
  if (value.kind() == Kind::kString) sound_string(value.as_string());
  if (value.kind() == Kind::kInteger || value.kind() == Kind::kNumber) sound_number(value);
  if (value.kind() != Kind::kArray && value.kind() != Kind::kObject) return;
  extent.depth = std::max(extent.depth, ++depth);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.kind() == Kind::kObject) {
      sound_string(value.member_name(i));
      require(names.insert(value.member_name(i)).second, "a name twice in an object");
    }
    sound(value.kind() == Kind::kArray ? value.element(i) : value.member_value(i), depth, extent);
  }
}

void sound_error(const skald::Error& error, std::size_t size) {
  require(error.code == "SKALD-101" || error.code == "SKALD-102", "an error without its code");
  require(error.message.size() < 500, "an error without bound");
  constexpr std::string_view kOpening = "not acceptable JSON, at byte ";
  require(error.message.starts_with(kOpening), "an error without its byte");
  require(std::strtoull(error.message.c_str() + kOpening.size(), nullptr, 10) <= size,
          "an error beyond the text");
}

// An accepted text among others, and under limits that it just meets or just misses.
void same_elsewhere(const std::string& text, const std::string& written, const Extent& extent) {
  const skald::json::Limits just{
      .maximum_bytes = text.size(), .maximum_depth = extent.depth, .maximum_members = extent.values};
  require(static_cast<bool>(Document::parse(text, just)), "limits that are met");
  auto missed = just;
  --missed.maximum_members;
  require(!Document::parse(text, missed), "a value beyond the limit");
  missed = just;
  --missed.maximum_depth;
  require(extent.depth == 0 || !Document::parse(text, missed), "a level beyond the limit");
  missed = just;
  --missed.maximum_bytes;
  require(!Document::parse(text, missed), "a byte beyond the limit");
  for (const char* const more : {" x", ",", " 1", "]", "}"})
    require(!Document::parse(text + more), "bytes after the value were accepted");
  require(!Document::parse(text + '\0'), "a NUL after the value was accepted");
  const auto array = Document::parse("[" + text + ",0]", {1 << 21, 65, 200'000});
  require(array && array->root().element(0).text() == written, "reads otherwise inside an array");
}

void every_place_has_its_pointer(Value value, const std::string& pointer, Value root) {
  const auto found = root.at_pointer(pointer);
  require(found && found->kind() == value.kind() && found->size() == value.size(), "pointer");
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.kind() == Kind::kArray)
      every_place_has_its_pointer(value.element(i), pointer + '/' + std::to_string(i), root);
    else
      every_place_has_its_pointer(value.member_value(i),
                                  pointer + '/' + skald::json::pointer_token(value.member_name(i)), root);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = Document::parse(text);
  if (!document) {
    sound_error(document.error(), size);
    return 0;
  }
  require(text.find('\0') == std::string_view::npos, "a NUL was accepted");
  Extent extent;
  sound(document->root(), 0, extent);
  const std::string written = document->root().text();
  const auto again = Document::parse(written);
  require(again && again->root().text() == written, "what was written reads otherwise");
  same_elsewhere(std::string(text), written, extent);
  if (size < 512) every_place_has_its_pointer(document->root(), "", document->root());
  (void)document->root().at_pointer(text);
  if (const auto everything = skald::from_json<Everything>(document->root())) {
    const std::string json = skald::to_json(*everything);
    require(skald::to_json(*skald::from_json<Everything>(json)) == json,
            "fields read otherwise than written");
  }
  return 0;
}
