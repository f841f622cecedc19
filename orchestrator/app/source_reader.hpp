// SourceReader: takes values out of a record where the configuration says. For one record, one thread.
#pragma once

#include <optional>
#include <string>

#include "app/config_text.hpp"
#include "skald/json.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"

namespace skald::app {

class SourceReader {
 public:
  /// `record`, in binary mode, outlives it; its value is parsed when first needed.
  explicit SourceReader(const Record& record) : record_(record) {}

  /// The text at `source`; nullopt: nothing there. An error: the value is not JSON.
  Result<std::optional<std::string>> text(const Source& source);
  /// The JSON at `source`.
  Result<std::optional<std::string>> json(const Source& source);
  /// Whether the filter lets the record pass; without one it does.
  Result<bool> passes(const std::optional<Filter>& filter);

 private:
  Result<std::optional<json::Value>> at(const Source& source);

  const Record& record_;
  std::optional<json::Document> document_;
};

/// For messages: "its key", "ce:subject", "/order/id".
[[nodiscard]] std::string described(const Source& source);

}  // namespace skald::app
