// Dead letters: a record that cannot be understood, as it came, with the reason in the headers that JVM
// tooling (Spring Kafka) reads. Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ports/message.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"

namespace skald::wire {

inline constexpr std::string_view kDeadLetterSuffix = "-dlt";
/// A dead letter must itself be publishable. Beyond this, value, key and headers are cut, and
/// `kafka_dlt-skald-truncated` says so: the original is still where the offset header points.
inline constexpr std::size_t kMaximumDeadLetterBytes = 900 * 1024;

/// Topic "<topic>-dlt", same partition, key, value and headers, plus `kafka_dlt-*`: original-topic (text),
/// original-partition (4 bytes big-endian), original-offset and original-timestamp (8 bytes), exception-fqcn
/// (`code`) and exception-message (`reason`).
[[nodiscard]] Message dead_letter(const Record& record, std::string_view code, std::string_view reason);

/// What the headers of a dead letter say, ours or those of JVM tooling (Spring Kafka's DeadLetterPublishingRecoverer).
struct DeadLetter {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  Time timestamp{};
  std::string code;  ///< ours: SKALD-nnn; else the name of an exception
  std::string reason;
  bool truncated = false;
};
/// kInvalid: names the header that is missing or has the wrong length.
[[nodiscard]] Result<DeadLetter> read_dead_letter(const Record& record);

/// Of a record that was put back: the place of the record it was first, by which a plain event that comes twice is told.
inline constexpr std::string_view kOriginHeader = "skald-origin";
/// Of a record that was put back: the dead letter, and who put it back, and why.
inline constexpr std::string_view kRedrivenHeader = "skald-redriven";
/// The record as it was, for the topic and partition that it came from. `letter` must not be truncated.
[[nodiscard]] Message redriven(const Record& record, const DeadLetter& letter, std::string_view by);

}  // namespace skald::wire
