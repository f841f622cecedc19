// Work: one input on its way through a lane: what it is, which saga it is for, where it came from, and what
// is owed once it is settled (the record's position, the parked row, an answer to the API). A Work is settled
// exactly once, after the transaction that settles it has committed; until then the lane keeps it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/input.hpp"
#include "ports/store.hpp"
#include "runtime/position_tracker.hpp"
#include "skald/saga.hpp"

namespace skald::runtime {

/// What became of a Work.
struct Settlement {
  enum class Kind {
    kApplied,     ///< a transition is durable (for a start: the saga was started)
    kDuplicate,   ///< it had been applied before
    kIgnored,     ///< late, or the saga has ended
    kRefused,     ///< an operator's action that no longer fits, or a start that does not fit
    kDeadLetter,  ///< on its way to the dead letter topic
    kParked,      ///< waits in the store
    kHeld,        ///< a start that nobody keeps, of a paused definition: to be asked for again
    kForwarded,   ///< on its way to the topic of the database that has its saga
    kDropped,     ///< nothing to do any more (a wake-up of a saga that is gone)
  } kind = Kind::kApplied;
  std::string reason;
  std::string answer;  ///< of an update
  SagaKey key = 0;
  std::int64_t sequence = 0;
};

/// Start a saga, unless it exists.
struct StartRequest {
  const SagaDefinition* definition = nullptr;
  engine::StartInput input;
  std::uint64_t input_hash = 0;
  /// The key first tried: by it a start whose commit was in doubt recognises itself.
  SagaKey key = 0;
};

/// Send the record to its dead letter topic.
struct DeadLetterRequest {
  std::string code;
  std::string reason;
};

/// Tell a parent that its command comes to nothing here.
struct RefuseChildRequest {
  engine::ParentCommand command;
  std::string reason;
};

/// Keep the record for a process that has the saga's code.
struct ParkRequest {};

/// Send the record on as it is: its saga is in another database, whose replies come on this topic.
struct ForwardRequest {
  std::string topic;
};

struct Work {
  SagaAddress address;  ///< empty for a dead letter and for what is sent on; of a child refused: the child's
  std::variant<DeadLetterRequest, ForwardRequest, RefuseChildRequest, ParkRequest, StartRequest,
               engine::Input>
      what;
  std::shared_ptr<const Record> record;  ///< shared by the works that several triggers made of one record
  std::optional<RecordMark> mark;
  std::int64_t parked_id = 0;  ///< of the parked row it came from, or under which it is being parked
  bool claimed = false;        ///< it came from a parked row
  Time waiting_since{};        ///< a claimed input: when it was parked; a wake-up: when it fell due
  std::function<void(const Settlement&)> settled;  ///< on the lane's thread; must not block
  std::size_t bytes = 0;                           ///< measure(), from the moment it is a lane's

  [[nodiscard]] bool is_start() const { return std::holds_alternative<StartRequest>(what); }
  /// A start, of a saga that need not be there yet: worth trying before anything is read.
  [[nodiscard]] bool is_first() const {
    const auto* start = std::get_if<StartRequest>(&what);
    return start != nullptr && (!start->input.parent || start->input.parent->phase == engine::Phase::kAction);
  }
  [[nodiscard]] bool is_dead_letter() const { return std::holds_alternative<DeadLetterRequest>(what); }
  /// For no saga here: it only passes through to a topic.
  [[nodiscard]] bool passes_through() const {
    return is_dead_letter() || std::holds_alternative<ForwardRequest>(what) ||
           std::holds_alternative<RefuseChildRequest>(what);
  }
};

/// What a work occupies, its record included: at least the truth.
[[nodiscard]] std::size_t measure(const Work& work);

/// For metrics: "start", "reply", "local", "wake", "undeliverable", "poison", "operator", "signal", "update",
/// "heartbeat", "parent", "dead_letter", "forward", "refused_child", "parked".
[[nodiscard]] std::string_view kind_of(const Work& work);

/// Where Works go by saga: implemented by the Runtime's lanes, called from any thread.
class LaneRouter {
 public:
  virtual ~LaneRouter() = default;
  /// Keeps the order of works for one saga. Urgent ones (all but starts and what passes through) are taken first.
  virtual void route(std::vector<Work> works) = 0;
};

/// 64 bits of an input in canonical form: by them a second start tells whether it is the same. Stored: never
/// to be changed.
[[nodiscard]] std::uint64_t hash_input(std::string_view canonical_input);

/// Which lane of `lanes` a saga belongs to.
[[nodiscard]] std::size_t lane_of(std::string_view saga_id, std::size_t lanes);

}  // namespace skald::runtime
