// Dead letters: a record that cannot be understood, as it came, with the reason in the headers that JVM
// tooling (Spring Kafka) reads. Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ports/message.hpp"
#include "skald/record.hpp"

namespace skald::wire {

inline constexpr std::string_view kDeadLetterSuffix = "-dlt";
/// A dead letter must itself be publishable. Beyond this, value, key and headers are cut, and
/// `kafka_dlt-skald-truncated` says so: the original is still where the offset header points.
inline constexpr std::size_t kMaximumDeadLetterBytes = 900 * 1024;

/// Topic "<topic>-dlt", same partition, key, value and headers, plus `kafka_dlt-*`: original-topic (text),
/// original-partition (4 bytes big-endian), original-offset and original-timestamp (8 bytes), exception-fqcn
/// (`code`) and exception-message (`reason`).
[[nodiscard]] Message dead_letter(const Record& record, std::string_view code, std::string_view reason);

}  // namespace skald::wire
