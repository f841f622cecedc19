// Keys, headers, attributes and pointers; see source_reader.hpp.
#include "app/source_reader.hpp"

namespace skald::app {

Result<std::optional<std::string>> SourceReader::text(const Source& source) {
  const auto owned = [](std::optional<std::string_view> view) -> std::optional<std::string> {
    if (!view) return std::nullopt;
    return std::string(*view);
  };
  switch (source.kind) {
    case Source::Kind::kKey: return record_.key;
    case Source::Kind::kAttribute: return owned(record_.header("ce_" + source.name));
    case Source::Kind::kHeader: return owned(record_.header(source.name));
    case Source::Kind::kPointer: break;
  }
  const auto value = at(source);
  if (!value) return value.error();
  if (!*value || (*value)->is_null()) return std::optional<std::string>();
  const json::Value& found = **value;
  return std::optional(found.kind() == json::Kind::kString ? std::string(found.as_string()) : found.text());
}

Result<std::optional<std::string>> SourceReader::json(const Source& source) {
  if (source.kind != Source::Kind::kPointer) {
    // A header or a key that is to be the input holds JSON itself.
    auto found = text(source);
    if (!found || !*found) return found;
    auto document = json::Document::parse(**found);
    if (!document) return document.error();
    return found;
  }
  const auto value = at(source);
  if (!value) return value.error();
  if (!*value) return std::optional<std::string>();
  return std::optional((*value)->text());
}

Result<std::optional<json::Value>> SourceReader::at(const Source& source) {
  if (!document_) {
    if (!record_.value)
      return Error{ErrorKind::kInvalid, "SKALD-405", "the record has no value (a tombstone)"};
    auto parsed = json::Document::parse(*record_.value);
    if (!parsed) return parsed.error();
    document_.emplace(std::move(*parsed));
  }
  return document_->root().at_pointer(source.name);
}

Result<bool> SourceReader::passes(const std::optional<Filter>& filter) {
  if (!filter) return true;
  const auto found = text(filter->source);
  if (!found) return found.error();
  return *found && **found == filter->value;
}

std::string described(const Source& source) {
  switch (source.kind) {
    case Source::Kind::kKey: return "its key";
    case Source::Kind::kAttribute: return "ce:" + source.name;
    case Source::Kind::kHeader: return "header " + source.name;
    case Source::Kind::kPointer: break;
  }
  return source.name.empty() ? "its value" : source.name;
}

}  // namespace skald::app
