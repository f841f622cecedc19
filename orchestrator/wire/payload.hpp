// The JSON inside records, behind the limits of skald/json.hpp (depth, size, UTF-8, no U+0000). Internal to
// orchestrator/wire; pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "skald/result.hpp"
#include "wire/cloud_events.hpp"

namespace skald::wire {

/// kInvalid unless `text` is one JSON object or array that can be stored.
[[nodiscard]] Result<void> check_payload(std::string_view text);

[[nodiscard]] std::string write_failure(const Failure& failure);
[[nodiscard]] Result<Failure> read_failure(std::string_view text);

/// Codes of docs/errors.md for what makes a record unreadable.
inline constexpr const char* kCodeLimits = "SKALD-301";      ///< too many headers, header or value too large
inline constexpr const char* kCodeAttribute = "SKALD-302";   ///< a CloudEvents attribute is missing or wrong
inline constexpr const char* kCodePayload = "SKALD-303";     ///< the value is not JSON within the limits
inline constexpr const char* kCodeStructured = "SKALD-304";  ///< structured mode that cannot be read

}  // namespace skald::wire
