// Reading parked inputs.
#include "runtime/parked.hpp"

#include <memory>
#include <utility>

#include "runtime/codes.hpp"
#include "runtime/input_codec.hpp"

namespace skald::runtime {

std::optional<Work> work_of(ParkedInput parked, const Decoder& decoder, Logger& logger) {
  auto input = decode_input(parked.input);
  std::vector<Work> made;
  if (input && std::holds_alternative<Record>(*input)) {
    made = decoder.decode(std::make_shared<const Record>(std::get<Record>(std::move(*input))));
    // A record may start one saga and be a signal for another: what was parked is one of them.
    const bool start = parked.reason == ParkReason::kPausedStart;
    if (made.size() > 1)
      std::erase_if(made, [&parked, start](const Work& work) {
        return work.is_start() != start || work.passes_through() || work.address != parked.address;
      });
  } else if (input) {
    made.resize(1);
    made.front().what = std::get<engine::Input>(std::move(*input));
  }
  if (made.size() != 1) {
    logger.error("A parked input cannot be read; it stays where it is.",
                 {{"parked_id", parked.parked_id},
                  {"definition", parked.address.definition},
                  {"saga_id", parked.address.saga_id},
                  {"code", std::string(code::kUnreadableParked)}});
    return std::nullopt;
  }
  Work& work = made.front();
  if (!work.passes_through()) work.address = std::move(parked.address);
  work.parked_id = parked.parked_id;
  work.claimed = true;
  work.waiting_since = parked.parked_at;
  return std::move(work);
}

}  // namespace skald::runtime
