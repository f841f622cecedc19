// An input that the database or the code cannot take: the saga is stuck, with the input kept in its history (as hex:
// what could not be stored as text must be storable here).
#include "engine/state.hpp"
#include "skald/json.hpp"

namespace skald::engine {
namespace {

std::string to_hex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    hex += kDigits[static_cast<unsigned char>(byte) >> 4];
    hex += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return hex;
}

}  // namespace

Ruling judge(Instance::State& state, const Poison& input) {
  if (state.status_ == SagaStatus::kStuck && state.stuck_reason_ == input.reason && input.input.empty())
    return {Judgement::kDuplicate, "the saga is stuck for this reason"};
  Event event;
  event.kind = EventKind::kStuck;
  event.reason = input.reason;
  event.failure.message = input.message;
  if (!input.input.empty()) event.data = "\"" + to_hex(input.input) + "\"";
  state.record(std::move(event));
  return {};
}

}  // namespace skald::engine
