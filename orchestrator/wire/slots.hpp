// Slots: the fixed number of shares into which all sagas fall by their id, so that several databases can divide them
// among themselves. A saga's slot never changes; which database has a slot is configuration (docs/databases.md).
// Pure; any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "skald/result.hpp"

namespace skald::wire {

/// Stored with every saga (by its route) and written in configurations: never to be changed.
inline constexpr int kSlots = 1024;

/// Other bits of the route than those that give a reply partition, so that every slot uses every partition.
/// In SQL: `(route >> 16) & 1023`.
[[nodiscard]] constexpr int slot_of_route(std::int32_t route) noexcept { return route >> 16 & (kSlots - 1); }
[[nodiscard]] int slot_of(std::string_view saga_id) noexcept;

class SlotSet {
 public:
  [[nodiscard]] static SlotSet all();
  /// "0-511", "0-99,200,300-511", or "none". The error says what is wrong with the text.
  [[nodiscard]] static Result<SlotSet> parse(std::string_view text);

  /// As parse reads it, in ranges, ascending.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool contains(int slot) const { return slots_.test(static_cast<std::size_t>(slot)); }
  [[nodiscard]] bool empty() const { return slots_.none(); }
  [[nodiscard]] bool full() const { return slots_.all(); }
  [[nodiscard]] std::size_t size() const { return slots_.count(); }

  [[nodiscard]] SlotSet both(const SlotSet& other) const { return SlotSet(slots_ & other.slots_); }
  [[nodiscard]] SlotSet either(const SlotSet& other) const { return SlotSet(slots_ | other.slots_); }
  [[nodiscard]] SlotSet without(const SlotSet& other) const { return SlotSet(slots_ & ~other.slots_); }
  bool operator==(const SlotSet& other) const = default;
  SlotSet() = default;

 private:
  explicit SlotSet(const std::bitset<kSlots>& slots) : slots_(slots) {}
  std::bitset<kSlots> slots_;
};

}  // namespace skald::wire
