// Where a record stands, as logs, histories and commands say it: "orders[3]@17". Pure; safe from any thread.
#pragma once

#include <string>

#include "skald/record.hpp"

namespace skald::wire {

[[nodiscard]] inline std::string place_of(const std::string& topic, std::int32_t partition,
                                          std::int64_t offset) {
  return topic + "[" + std::to_string(partition) + "]@" + std::to_string(offset);
}
[[nodiscard]] inline std::string place_of(const Record& record) {
  return place_of(record.topic, record.partition, record.offset);
}

}  // namespace skald::wire
