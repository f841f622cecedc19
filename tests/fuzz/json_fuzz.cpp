// Fuzz target for the JSON parser, its pointers, its writer and the field mapping, with RapidJSON as a second opinion.
// What holds for any bytes: no crash; what we accept RapidJSON accepts with the same content; what only we refuse we
// refuse for a reason of our own (a limit, U+0000, a name twice); what we write we read back unchanged.
// libFuzzer calls the entry from one thread; json_fuzz_seeds.cpp calls it for every seed as an ordinary test.
#include <rapidjson/document.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
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

std::string_view view(const rapidjson::Value& value) { return {value.GetString(), value.GetStringLength()}; }

// RapidJSON 1.1 gets some long integers wrong, so the C library is the judge of doubles.
void same_double(Value ours, const rapidjson::Value& theirs) {
  require(theirs.IsNumber(), "number");
  require(ours.as_double() == std::strtod(std::string(ours.number_text()).c_str(), nullptr), "double");
}

void same(Value ours, const rapidjson::Value& theirs) {
  switch (ours.kind()) {
    case Kind::kNull: return require(theirs.IsNull(), "null");
    case Kind::kBoolean: return require(theirs.IsBool() && theirs.GetBool() == ours.as_boolean(), "boolean");
    case Kind::kInteger:
      if (ours.number_text() == "-0")
        return require(theirs.IsNumber() && theirs.GetDouble() == 0, "minus zero");
      if (ours.as_int64())
        return require(theirs.IsInt64() && theirs.GetInt64() == *ours.as_int64(), "integer");
      return require(theirs.IsUint64() && theirs.GetUint64() == ours.as_uint64(), "unsigned integer");
    case Kind::kNumber: return same_double(ours, theirs);
    case Kind::kString: return require(theirs.IsString() && view(theirs) == ours.as_string(), "string");
    case Kind::kArray:
      require(theirs.IsArray() && theirs.Size() == ours.size(), "array");
      for (std::size_t i = 0; i < ours.size(); ++i)
        same(ours.element(i), theirs[static_cast<rapidjson::SizeType>(i)]);
      return;
    case Kind::kObject: {
      require(theirs.IsObject() && theirs.MemberCount() == ours.size(), "object");
      std::size_t i = 0;
      for (const auto& member : theirs.GetObject()) {
        require(view(member.name) == ours.member_name(i), "name");
        same(ours.member_value(i++), member.value);
      }
    }
  }
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

// RapidJSON 1.1 takes a low half without its high half.
bool our_own_reason(const skald::Error& error) {
  if (error.code == "SKALD-102") return true;
  for (const std::string_view reason :
       {"\\u0000", "stands twice", "beyond the range", "a byte order mark", "half of a surrogate pair"})
    if (error.message.find(reason) != std::string::npos) return true;
  return false;
}

void same_verdict(std::string_view text, const skald::Result<Document>& ours) {
  if (text.find('\0') != std::string_view::npos) return require(!ours, "a NUL was accepted");
  if (text.size() > 4096) return;  // RapidJSON builds its tree recursively in places
  const std::string terminated =
      std::string(text) + std::string(8, '\0');  // RapidJSON 1.1 reads past a cut sequence
  rapidjson::Document theirs;
  theirs.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag |
               rapidjson::kParseFullPrecisionFlag>(terminated.c_str());
  if (ours) {
    const bool zero_times_much = theirs.GetParseError() == rapidjson::kParseErrorNumberTooBig;  // 0e401 is 0
    require(!theirs.HasParseError() || zero_times_much, "we accept what RapidJSON refuses");
    if (!theirs.HasParseError()) same(ours->root(), theirs);
  } else if (!theirs.HasParseError()) {
    require(our_own_reason(ours.error()), ours.error().message.c_str());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = Document::parse(text);
  same_verdict(text, document);
  if (!document) {
    const std::string& code = document.error().code;
    require(code == "SKALD-101" || code == "SKALD-102", "an error without its code");
    require(document.error().message.size() < 500, "an error without bound");
    return 0;
  }
  const std::string written = document->root().text();
  const auto again = Document::parse(written);
  require(again && again->root().text() == written, "what was written reads otherwise");
  if (size < 512) every_place_has_its_pointer(document->root(), "", document->root());
  (void)document->root().at_pointer(text);
  if (const auto everything = skald::from_json<Everything>(document->root())) {
    const std::string json = skald::to_json(*everything);
    require(skald::to_json(*skald::from_json<Everything>(json)) == json,
            "fields read otherwise than written");
  }
  return 0;
}
