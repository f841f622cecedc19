// Reading and writing sets of slots.
#include "wire/slots.hpp"

#include <charconv>
#include <optional>

#include "wire/murmur2.hpp"

namespace skald::wire {
namespace {

constexpr std::string_view kNone = "none";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int> slot_number(std::string_view text) {
  text = trimmed(text);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool fits =
      error == std::errc() && end == text.data() + text.size() && number >= 0 && number < kSlots;
  return fits ? std::optional(number) : std::nullopt;
}

Error wrong(std::string what) { return {ErrorKind::kInvalid, "", std::move(what)}; }

}  // namespace

int slot_of(std::string_view saga_id) noexcept { return slot_of_route(route_of(saga_id)); }

SlotSet SlotSet::all() { return SlotSet(std::bitset<kSlots>().set()); }

Result<SlotSet> SlotSet::parse(std::string_view text) {
  SlotSet set;
  if (trimmed(text) == kNone) return set;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = trimmed(text.substr(0, comma));
    const std::size_t dash = part.find('-');
    const auto first = slot_number(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : slot_number(part.substr(dash + 1));
    if (!first || !last || *first > *last)
      return wrong("'" + std::string(part.substr(0, 40)) +
                   "' is no slot from 0 to 1023 and no range like 0-511");
    for (int slot = *first; slot <= *last; ++slot) {
      if (set.contains(slot)) return wrong("slot " + std::to_string(slot) + " stands there twice");
      set.slots_.set(static_cast<std::size_t>(slot));
    }
    if (comma == std::string_view::npos) return set;
    text.remove_prefix(comma + 1);
  }
}

std::string SlotSet::text() const {
  std::string text;
  for (int slot = 0; slot < kSlots; ++slot) {
    if (!contains(slot)) continue;
    int last = slot;
    while (last + 1 < kSlots && contains(last + 1)) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(slot);
    if (last > slot) text += "-" + std::to_string(last);
    slot = last;
  }
  return text.empty() ? std::string(kNone) : text;
}

}  // namespace skald::wire
