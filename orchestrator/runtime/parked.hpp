// From a parked input, as stored, to the Work it means. Pure.
#pragma once

#include <optional>

#include "ports/logger.hpp"
#include "ports/store.hpp"
#include "runtime/decoder.hpp"
#include "runtime/work.hpp"

namespace skald::runtime {

/// Claimed, and with the address under which it was parked. nullopt: it cannot be read, which is logged; it stays where
/// it is.
[[nodiscard]] std::optional<Work> work_of(ParkedInput parked, const Decoder& decoder, Logger& logger);

}  // namespace skald::runtime
