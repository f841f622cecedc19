// Registry: what a binary knows: its sagas, the objects of its local steps, its triggers. Filled in main
// before skald::main, read-only and thread-safe after. Nothing is refused while filling; problems() names
// every mistake at once, and skald::main refuses to start if there is one.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "skald/local_executor.hpp"
#include "skald/record.hpp"
#include "skald/saga.hpp"

namespace skald {

/// What a trigger made of a record: the start of a saga, input in canonical JSON.
struct TriggeredStart {
  std::string saga_id;
  std::string input;
};

/// From record to start. `start` decodes the record's value; nullopt: the record is none of its business
/// (filtered). What it throws comes back as an Error. The topic stands in the configuration under
/// `triggers.<name>.topic`.
struct TriggerDefinition {
  std::string name;
  std::string saga;
  std::function<Result<std::optional<TriggeredStart>>(const Record&)> start;
};

namespace detail {

template <class F>
struct TriggerFunction;
template <class C, class Event, class Input>
struct TriggerFunction<std::optional<Start<Input>> (C::*)(const Event&, const Record&) const> {
  using EventType = Event;
  using InputType = Input;
};

template <class Event, class Input, class F>
Result<std::optional<TriggeredStart>> apply_trigger(const F& function, const std::string& name,
                                                    const Record& record) {
  if (!record.value) return Error{ErrorKind::kInvalid, "SKALD-405", "the record has no value (a tombstone)"};
  auto event = from_json<Event>(*record.value);
  if (!event) return event.error();
  try {
    std::optional<Start<Input>> start = function(*event, record);
    if (!start) return std::optional<TriggeredStart>();
    return std::optional(TriggeredStart{std::move(start->saga_id), to_json(start->input)});
  } catch (const std::exception& error) {
    return Error{ErrorKind::kInvalid, "SKALD-422", "trigger " + name + " threw: " + error.what()};
  }
}

}  // namespace detail

class Registry {
 public:
  /// What add_saga gives: chain triggers onto it.
  class SagaEntry {
   public:
    /// `function`: std::optional<Start<Input>> (const Event&, const Record&), pure: filter and mapping. A
    /// typed lambda; Event is read from the record's value.
    template <class F>
    SagaEntry& trigger(std::string name, F function);

   private:
    friend class Registry;
    SagaEntry(Registry& registry, std::string saga) : registry_(registry), saga_(std::move(saga)) {}
    Registry& registry_;
    std::string saga_;
  };

  template <class S>
  SagaEntry add_saga() {
    add_definition(make_saga_definition<S>());
    return SagaEntry(*this, std::string(S::name));
  }

  /// Makes the one object of a local step; the arguments go to its constructor.
  template <class S, class... Arguments>
  Registry& add_step(Arguments&&... arguments) {
    static_assert(detail::check_step<S>());
    static_assert(detail::IsLocalStep<S>, "only a local step is an object; a command step needs no adding");
    add_executor(step_definition<S>(),
                 std::make_unique<detail::TypedExecutor<S>>(std::forward<Arguments>(arguments)...));
    return *this;
  }

  /// The newest revision of a definition, or the one asked for; null if this binary has none.
  [[nodiscard]] const SagaDefinition* saga(std::string_view name, std::optional<int> revision = {}) const;
  [[nodiscard]] const std::deque<SagaDefinition>& sagas() const noexcept { return sagas_; }
  [[nodiscard]] const std::vector<TriggerDefinition>& triggers() const noexcept { return triggers_; }
  /// Null if that step was not added. The executor may be called from several threads.
  [[nodiscard]] LocalExecutor* executor(std::string_view step) const;

  /// Every wiring mistake, one sentence each; empty if there is none. `mentioned`: the steps saga code
  /// mentions.
  [[nodiscard]] std::vector<std::string> problems(
      const std::vector<const StepDefinition*>& mentioned = mentioned_steps()) const;

 private:
  void add_definition(SagaDefinition definition);
  void add_executor(const StepDefinition& step, std::unique_ptr<LocalExecutor> executor);
  void add_trigger(TriggerDefinition trigger);

  std::deque<SagaDefinition> sagas_;
  std::vector<TriggerDefinition> triggers_;
  std::map<std::string, std::unique_ptr<LocalExecutor>, std::less<>> executors_;
  std::vector<std::string> problems_;
};

template <class F>
Registry::SagaEntry& Registry::SagaEntry::trigger(std::string name, F function) {
  using Function = detail::TriggerFunction<decltype(&F::operator())>;
  using Event = typename Function::EventType;
  using Input = typename Function::InputType;
  static_assert(JsonMapped<Event>, "the trigger's event is not mapped: add SKALD_FIELDS beside its struct");
  registry_.add_trigger({name, saga_, [function, name](const Record& record) {
                           return detail::apply_trigger<Event, Input>(function, name, record);
                         }});
  return *this;
}

}  // namespace skald
