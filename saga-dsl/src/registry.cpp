// Registry: gathers wiring mistakes while it is filled, so that all of them are told at once.
#include "skald/registry.hpp"

namespace skald {

void Registry::add_definition(SagaDefinition definition) {
  for (const SagaDefinition& known : sagas_)
    if (known.name == definition.name && known.revision == definition.revision)
      problems_.push_back("two sagas are named " + std::string(definition.name) + " with revision " +
                          std::to_string(definition.revision) +
                          ": give one of them another name or revision");
  sagas_.push_back(definition);
}

void Registry::add_executor(const StepDefinition& step, std::unique_ptr<LocalExecutor> executor) {
  const auto [place, added] = executors_.emplace(std::string(step.name), std::move(executor));
  if (!added)
    problems_.push_back("two local steps are named " + std::string(step.name) + ": names are unique");
}

void Registry::add_trigger(TriggerDefinition trigger) {
  if (!detail::is_name(trigger.name))
    problems_.push_back("saga " + trigger.saga + ": trigger name \"" + trigger.name +
                        "\" is not 1 to 63 characters of A-Z a-z 0-9 . _ -");
  for (const TriggerDefinition& known : triggers_)
    if (known.name == trigger.name)
      problems_.push_back("two triggers are named " + trigger.name + " (sagas " + known.saga + " and " +
                          trigger.saga + "): names are unique");
  triggers_.push_back(std::move(trigger));
}

const SagaDefinition* Registry::saga(std::string_view name, std::optional<int> revision) const {
  const SagaDefinition* found = nullptr;
  for (const SagaDefinition& definition : sagas_) {
    if (definition.name != name || (revision && definition.revision != *revision)) continue;
    if (found == nullptr || definition.revision > found->revision) found = &definition;
  }
  return found;
}

LocalExecutor* Registry::executor(std::string_view step) const {
  const auto place = executors_.find(step);
  return place == executors_.end() ? nullptr : place->second.get();
}

std::vector<std::string> Registry::problems(const std::vector<const StepDefinition*>& mentioned) const {
  std::vector<std::string> all = problems_;
  if (sagas_.empty())
    all.emplace_back("no saga is registered: registry.add_saga<YourSaga>() before skald::main");
  std::map<std::string_view, const StepDefinition*> by_name;
  for (const StepDefinition* step : mentioned) {
    const auto [place, added] = by_name.emplace(step->name, step);
    if (!added && place->second != step)
      all.push_back("two steps are named " + std::string(step->name) + ": names are unique");
    if (step->kind == StepKind::local && executor(step->name) == nullptr)
      all.push_back("local step " + std::string(step->name) +
                    " is used by a saga but not added: registry.add_step<…>(…) before skald::main");
    if (step->kind == StepKind::child && saga(step->child) == nullptr)
      all.push_back("saga " + std::string(step->child) + " is run as a child (step " +
                    std::string(step->name) +
                    ") but not registered: registry.add_saga<…>() before skald::main");
  }
  return all;
}

}  // namespace skald
