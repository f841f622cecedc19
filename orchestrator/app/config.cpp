// From checked texts to a Config, and the checks that look at several keys at once; see config.hpp.
#include "app/config.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "limits/step_limiter.hpp"
#include "wire/dead_letter.hpp"

namespace skald::app {
namespace {

std::string dead_letter_topic(const std::string& topic) {
  return topic + std::string(wire::kDeadLetterSuffix);
}

/// librdkafka properties that are Skald's own: setting them would break a promise of docs/kafka.md.
struct OwnedProperty {
  std::string_view name;
  std::string_view why;
};
constexpr std::array<OwnedProperty, 17> kOwnedProperties{{
    {"bootstrap.servers", "set kafka.bootstrap_servers"},
    {"metadata.broker.list", "set kafka.bootstrap_servers"},
    {"group.id", "set kafka.group"},
    {"enable.auto.commit", "Skald commits offsets itself, after PostgreSQL has them"},
    {"auto.commit.enable", "Skald commits offsets itself, after PostgreSQL has them"},
    {"enable.auto.offset.store", "Skald commits offsets itself, after PostgreSQL has them"},
    {"auto.offset.reset", "reading starts at the position recorded in PostgreSQL"},
    {"partition.assignment.strategy",
     "cooperative rebalances lose assignments in librdkafka 2.0; Skald uses range"},
    {"group.instance.id", "set kafka.instance_id"},
    {"acks", "a message that is not on all in-sync replicas can be lost"},
    {"request.required.acks", "a message that is not on all in-sync replicas can be lost"},
    {"enable.idempotence", "without it the producer duplicates and reorders"},
    {"partitioner", "keys are placed as JVM clients place them"},
    {"transactional.id", "Skald does not use Kafka transactions"},
    {"isolation.level", "Skald reads committed records only"},
    {"test.mock.num.brokers", "run the dev command for a mock cluster"},
    {"enable.gapless.guarantee", "it stops the producer for good at the first lost message"},
}};

Error refuse(const char* code, const std::string& message) { return {ErrorKind::kInvalid, code, message}; }

std::string where(const Setting& setting) { return setting.origin.empty() ? "" : setting.origin + ": "; }

class Builder {
 public:
  Builder(Config& config, const Registry& registry, const std::vector<const StepDefinition*>& mentioned)
      : config_(config), registry_(registry), mentioned_(mentioned) {}

  Result<void> build() {
    plain_keys();
    for (const auto part : {&Builder::names, &Builder::properties, &Builder::steps, &Builder::triggers,
                            &Builder::signals, &Builder::databases})
      if (auto done = (this->*part)(); !done) return done;
    return apply_runtime(config_.values, config_.runtime);
  }

  Result<void> require(const Needs& needs) {
    if (needs.database && config_.databases.front().postgres.uri.empty() && !pg_variables)
      return missing(
          "postgres.uri",
          "where PostgreSQL is, like postgresql://skald@127.0.0.1:5432/skald (or the PG* variables)");
    if (needs.kafka && config_.kafka.bootstrap_servers.empty())
      return missing("kafka.bootstrap_servers", "where Kafka is, like 127.0.0.1:9092");
    if (needs.http)
      if (auto done = http(); !done) return done;
    if (needs.made_up_topics) make_up_topics();
    return needs.wiring ? wiring() : Result<void>();
  }

  void make_up_topics() {
    for (TriggerConfig& trigger : config_.triggers)
      if (trigger.topic.empty()) trigger.topic = trigger.name;
    for (const StepDefinition* step : mentioned_)
      if (auto& topic = config_.steps.at(std::string(step->name)).topic;
          topic.empty() && step->kind == StepKind::command)
        topic = std::string(step->name) + ".commands";
  }

  bool pg_variables = false;

 private:
  static Error missing(const std::string& key, const std::string& what) {
    return refuse(kCodeMissing,
                  key + " is not set: " + what + "; set it in the file or as " + environment_name(key));
  }

  std::string text(std::string_view key, const std::string& fallback = {},
                   const std::string& name = {}) const {
    const Setting* setting = config_.values.find(key, name);
    return setting == nullptr ? fallback : setting->text;
  }

  void plain_keys() {
    config_.name_space = text("namespace", "default");
    config_.kafka.bootstrap_servers = text("kafka.bootstrap_servers");
    config_.kafka.group = text("kafka.group", "skald-" + config_.name_space);
    config_.kafka.instance_id = text("kafka.instance_id");
    config_.topics.replies = text("topics.replies", "skald." + config_.name_space + ".replies");
    config_.topics.lifecycle = text("topics.lifecycle", "skald." + config_.name_space + ".lifecycle");
    config_.topics.create = text("topics.create") == "true";
    config_.topics.partitions = static_cast<int>(parse_integer(text("topics.partitions", "8")).value_or(8));
    config_.topics.replication = static_cast<int>(parse_integer(text("topics.replication", "0")).value_or(0));
    if (const std::string kept = text("topics.retention"); !kept.empty())
      config_.topics.retention = parse_duration(kept).value_or(std::chrono::milliseconds{0});
    config_.http.listen = parse_address(text("http.listen", "127.0.0.1:8080")).value_or(Address{});
    config_.http.token = text("http.token");
    config_.log_json = text("log.format", "json") == "json";
    const std::string level = text("log.level", "info");
    config_.log_level = level == "debug"     ? LogLevel::kDebug
                        : level == "warning" ? LogLevel::kWarning
                        : level == "error"   ? LogLevel::kError
                                             : LogLevel::kInfo;
  }

  /// Names in the configuration that the binary does not have.
  Result<void> names() {
    const auto known = names_of(registry_, mentioned_);
    for (const auto& [key, setting] : config_.values.settings) {
      const std::size_t open = key.schema->key.find('<');
      if (open == std::string_view::npos) continue;
      const std::string kind(key.schema->key.substr(open + 1, key.schema->key.find('>') - open - 1));
      if (kind == "trigger" || kind == "database" || kind == "signal") continue;
      const auto& names = known.at(kind);
      if (std::find(names.begin(), names.end(), key.name) != names.end()) continue;
      const std::string near = nearest(key.name, names);
      return refuse(kCodeUnknown, where(setting) + key.text() + ": this binary has no " + kind + " named " +
                                      key.name + (near.empty() ? "" : "; did you mean " + near + "?"));
    }
    return {};
  }

  Result<void> properties() {
    for (const auto& [key, setting] : config_.values.settings) {
      if (key.schema->key != "kafka.properties.*") continue;
      for (const OwnedProperty& owned : kOwnedProperties)
        if (owned.name == key.name)
          return refuse(kCodeUnsafe,
                        where(setting) + key.text() + " cannot be overridden: " + std::string(owned.why));
      config_.kafka.properties[key.name] = setting.text;
    }
    return {};
  }

  template <class Apply>
  void duration(const std::string& key, const std::string& step, Apply apply) {
    if (const Setting* setting = config_.values.find(key, step)) apply(parse_duration(setting->text).value());
  }

  Result<void> retry(const std::string& prefix, const std::string& step, RetryPolicy& policy) {
    duration(prefix + ".initial_interval", step, [&](auto value) { policy.initial_interval = value; });
    duration(prefix + ".maximum_interval", step, [&](auto value) { policy.maximum_interval = value; });
    if (const auto value = parse_real(text(prefix + ".coefficient", "", step))) policy.coefficient = *value;
    if (const auto value = parse_real(text(prefix + ".jitter", "", step))) policy.jitter = *value;
    if (const auto value = parse_integer(text(prefix + ".maximum_attempts", "", step)))
      policy.maximum_attempts = static_cast<int>(*value);
    if (const Setting* setting = config_.values.find(prefix + ".non_retryable", step))
      policy.non_retryable = codes(setting->text);
    if (policy.initial_interval > policy.maximum_interval)
      return refuse(kCodeValue, at_step(prefix, step) + ".initial_interval (" +
                                    format_duration(policy.initial_interval) +
                                    ") is longer than its maximum_interval (" +
                                    format_duration(policy.maximum_interval) + ")");
    return {};
  }

  /// "steps.<step>.retry" with its name, and the origin of whatever was configured there.
  std::string at_step(const std::string& prefix, const std::string& step) const {
    std::string key = "steps." + step + prefix.substr(std::string("steps.<step>").size());
    for (const auto& [reference, setting] : config_.values.settings)
      if (reference.text().starts_with(key)) return where(setting) + key;
    return key;
  }

  Result<void> limits(const StepDefinition& definition, StepLimits& limits) {
    const std::string prefix = "steps.<step>.limits", step(definition.name);
    const auto whole = [&](const std::string& key, int& number) {
      if (const auto value = parse_integer(text(prefix + key, "", step))) number = static_cast<int>(*value);
    };
    whole(".maximum_concurrent", limits.maximum_concurrent);
    whole(".breaker.failures", limits.breaker.failures);
    whole(".breaker.attempts", limits.breaker.attempts);
    if (const auto value = parse_real(text(prefix + ".maximum_starts_per_second", "", step)))
      limits.maximum_starts_per_second = *value;
    duration(prefix + ".breaker.open_for", step, [&](auto value) { limits.breaker.open_for = value; });
    if (definition.kind == StepKind::command && limits::is_limited(limits))
      return refuse(kCodeValue, at_step(prefix, step) + ": " + step +
                                    " is a command step: its limits stand at the participant that does the "
                                    "work (--limit, docs/limits.md)");
    if (const auto problem = limits::problem_of(limits))
      return refuse(kCodeValue, at_step(prefix, step) + "." + problem->key + " " + problem->what);
    return {};
  }

  Codes codes(const std::string& list) {
    Codes codes;
    for (std::string& code : split_list(list)) codes.add(config_.codes->emplace_back(std::move(code)));
    return codes;
  }

  Result<void> steps() {
    for (const StepDefinition* definition : mentioned_) {
      const std::string name(definition->name);
      const bool child = definition->kind == StepKind::child;
      if (child)
        config_.topics.children = text("topics.children", "skald." + config_.name_space + ".children");
      engine::StepSettings settings{
          child ? config_.topics.children : text("steps.<step>.topic", std::string(definition->topic), name),
          definition->options, definition};
      StepOptions& options = settings.options;
      duration("steps.<step>.start_to_close", name, [&](auto value) { options.start_to_close = value; });
      duration("steps.<step>.schedule_to_close", name,
               [&](auto value) { options.schedule_to_close = value; });
      duration("steps.<step>.heartbeat", name, [&](auto value) { options.heartbeat = value; });
      if (auto done = retry("steps.<step>.retry", name, options.retry); !done) return done;
      if (auto done = retry("steps.<step>.compensation_retry", name, options.compensation_retry); !done)
        return done;
      if (auto done = limits(*definition, options.limits); !done) return done;
      duration("steps.<step>.schedule_to_start", name,
               [&](auto value) { options.schedule_to_start = value; });
      if (options.start_to_close && options.schedule_to_close &&
          *options.start_to_close > *options.schedule_to_close)
        return refuse(kCodeValue, at_step("steps.<step>", name) + ".start_to_close (" +
                                      format_duration(*options.start_to_close) +
                                      ") is longer than its schedule_to_close (" +
                                      format_duration(*options.schedule_to_close) + ")");
      if (definition->kind == StepKind::local && config_.values.find("steps.<step>.topic", name) != nullptr)
        return refuse(kCodeValue, at_step("steps.<step>.topic", name) +
                                      ": a local step is done in this process and takes no topic");
      if (child && config_.values.find("steps.<step>.topic", name) != nullptr)
        return refuse(kCodeValue,
                      at_step("steps.<step>.topic", name) +
                          ": this step is a child saga; the topic of all of them is topics.children");
      if (child && (options.start_to_close || options.schedule_to_start))
        return refuse(kCodeValue, at_step("steps.<step>", name) +
                                      ": a child saga takes neither start_to_close nor schedule_to_start");
      if (definition->kind == StepKind::local && options.schedule_to_start)
        return refuse(kCodeValue, at_step("steps.<step>.schedule_to_start", name) +
                                      ": a local step begins where it is scheduled and takes none");
      config_.steps[name] = std::move(settings);
    }
    for (const SagaDefinition& definition : registry_.sagas()) {
      SagaOptions options = definition.options;
      duration("sagas.<saga>.deadline", std::string(definition.name),
               [&](auto value) { options.deadline = value; });
      config_.sagas[std::string(definition.name)] = options;
      auto& objective = config_.objectives[std::string(definition.name)];
      objective = options.deadline;
      duration("sagas.<saga>.objective", std::string(definition.name),
               [&](auto value) { objective = value; });
    }
    return {};
  }

  Result<void> triggers() {
    for (const TriggerDefinition& definition : registry_.triggers())
      config_.triggers.push_back({definition.name,
                                  text("triggers.<trigger>.topic", "", definition.name),
                                  definition.saga,
                                  true,
                                  {},
                                  {},
                                  {}});
    std::set<std::string> configured;
    for (const auto& [key, setting] : config_.values.settings) {
      if (!key.schema->key.starts_with("triggers.")) continue;
      const bool in_code = is_code_trigger(key.name);
      if (in_code && key.schema->key != "triggers.<trigger>.topic")
        return refuse(kCodeWiring, where(setting) + key.text() + ": trigger " + key.name +
                                       " is written in code and takes only a topic here");
      if (in_code || !configured.insert(key.name).second) continue;
      if (auto done = configured_trigger(key.name, setting); !done) return done;
    }
    return {};
  }

  Result<void> signals() {
    if (takes_signals(registry_))
      config_.topics.signals = text("topics.signals", "skald." + config_.name_space + ".signals");
    auto all = signals_of(config_.values, registry_);
    if (!all) return all.error();
    config_.signals = std::move(*all);
    return {};
  }

  bool is_code_trigger(const std::string& name) const {
    const auto& all = registry_.triggers();
    return std::any_of(all.begin(), all.end(),
                       [&](const TriggerDefinition& trigger) { return trigger.name == name; });
  }

  Result<void> configured_trigger(const std::string& name, const Setting& first) {
    const Setting* saga = config_.values.find("triggers.<trigger>.saga", name);
    const auto known = names_of(registry_, mentioned_);
    if (saga == nullptr) {
      const std::string near = nearest(name, known.at("trigger"));
      return refuse(kCodeUnknown,
                    where(first) + "triggers." + name + ": this binary has no trigger of that name in code" +
                        (near.empty() ? "" : ", did you mean " + near + "?") +
                        "; for a trigger by configuration set triggers." + name + ".saga as well");
    }
    if (registry_.saga(saga->text) == nullptr) {
      const std::string near = nearest(saga->text, known.at("saga"));
      return refuse(kCodeUnknown, where(*saga) + "triggers." + name +
                                      ".saga: this binary has no saga named " + saga->text +
                                      (near.empty() ? "" : "; did you mean " + near + "?"));
    }
    TriggerConfig trigger{name, text("triggers.<trigger>.topic", "", name), saga->text, false, {}, {}, {}};
    trigger.id = parse_source(text("triggers.<trigger>.id", "key", name)).value_or(Source{});
    trigger.input = parse_source(text("triggers.<trigger>.input", "value", name)).value_or(Source{});
    if (trigger.id.kind == Source::Kind::kPointer && trigger.id.name.empty())
      return refuse(
          kCodeValue,
          where(first) + "triggers." + name +
              ".id cannot be the whole value; it takes key, ce:ATTRIBUTE, header:NAME or a JSON pointer");
    trigger.filter = parse_filter(text("triggers.<trigger>.filter", "", name));
    config_.triggers.push_back(std::move(trigger));
    return {};
  }

  Result<void> http() {
    const std::string& host = config_.http.listen.host;
    const bool loopback = host == "localhost" || host == "::1" || host.starts_with("127.");
    if (loopback || !config_.http.token.empty() || text("http.unprotected") == "true") return {};
    return refuse(kCodeUnsafe, where(*config_.values.find("http.listen")) +
                                   "http.listen is reachable from outside (" + host +
                                   ") and the API has no token: set http.token_file, or http.unprotected: "
                                   "true if something in front keeps strangers out");
  }

  Result<void> databases() {
    for (const auto& [key, setting] : config_.values.settings) {
      const std::string& uri = setting.text;
      if (!is_uri(*key.schema) || uri.empty() || uri.starts_with("postgresql://") ||
          uri.starts_with("postgres://") || uri.find('=') != std::string::npos)
        continue;
      return wrong_value(setting.origin, key.text(),
                         "is no libpq URI; it takes one like postgresql://skald@127.0.0.1:5432/skald");
    }
    DatabaseConfig only;
    only.postgres = {text("postgres.uri"), text("postgres.password"), text("postgres.schema", "skald")};
    only.replies = config_.topics.replies;
    only.group = config_.kafka.group;
    auto all = databases_of(config_.values, only);
    if (!all) return all.error();
    config_.databases = std::move(*all);
    return {};
  }

  Result<void> wiring() {
    if (const auto problems = registry_.problems(mentioned_); !problems.empty()) {
      std::string all;
      for (const std::string& problem : problems) all += (all.empty() ? "" : "; ") + problem;
      return refuse(kCodeWiring, all);
    }
    for (const StepDefinition* step : mentioned_)
      if (step->kind == StepKind::command && config_.steps.at(std::string(step->name)).topic.empty())
        return refuse(kCodeWiring, "command step " + std::string(step->name) +
                                       " has no topic: give its class one, or set steps." +
                                       std::string(step->name) + ".topic");
    for (const TriggerConfig& trigger : config_.triggers)
      if (trigger.topic.empty())
        return refuse(kCodeWiring, "trigger " + trigger.name + " of saga " + trigger.saga +
                                       " has no topic: set triggers." + trigger.name + ".topic");
    return own_topics();
  }

  /// The reply and lifecycle topics are Skald's own: nothing else goes there.
  Result<void> own_topics() {
    std::map<std::string, std::string> taken;
    for (const DatabaseConfig& one : config_.databases)
      taken[one.replies] = one.name.empty() ? "topics.replies" : "databases." + one.name + ".replies";
    if (const auto replies = taken.find(config_.topics.lifecycle); replies != taken.end())
      return refuse(kCodeWiring, "topics.lifecycle and " + replies->second + " are the same topic, " +
                                     config_.topics.lifecycle);
    taken[config_.topics.lifecycle] = "topics.lifecycle";
    if (const auto& own = config_.topics.signals; !own.empty()) {
      if (const auto other = taken.find(own); other != taken.end())
        return refuse(kCodeWiring, "topics.signals and " + other->second + " are the same topic, " + own);
      taken[own] = "topics.signals";
    }
    if (const auto& own = config_.topics.children; !own.empty()) {
      if (const auto other = taken.find(own); other != taken.end())
        return refuse(kCodeWiring, "topics.children and " + other->second + " are the same topic, " + own);
      taken[own] = "topics.children";
    }
    const auto check = [&](const std::string& topic, const std::string& who) -> Result<void> {
      const auto found = taken.find(topic);
      if (found == taken.end()) return {};
      return refuse(kCodeWiring,
                    who + " uses topic " + topic + ", which is " + found->second + "; take another one");
    };
    for (const StepDefinition* step : mentioned_)
      if (step->kind == StepKind::command)
        if (auto done =
                check(config_.steps.at(std::string(step->name)).topic, "step " + std::string(step->name));
            !done)
          return done;
    for (const TriggerConfig& trigger : config_.triggers)
      if (auto done = check(trigger.topic, "trigger " + trigger.name); !done) return done;
    for (const SignalConfig& signal : config_.signals)
      if (auto done = check(signal.topic, "signal " + signal.key); !done) return done;
    return {};
  }

  Config& config_;
  const Registry& registry_;
  const std::vector<const StepDefinition*>& mentioned_;
};

}  // namespace

std::vector<std::string> Config::needed_topics() const {
  std::set<std::string> topics{this->topics.lifecycle};
  std::set<std::string> read;
  for (const DatabaseConfig& one : databases) read.insert(one.replies);
  for (const TriggerConfig& trigger : triggers) read.insert(trigger.topic);
  for (const SignalConfig& signal : signals) read.insert(signal.topic);
  read.insert(this->topics.signals);
  read.insert(this->topics.children);
  read.erase("");
  for (const auto& [name, step] : steps)
    if (!step.topic.empty()) topics.insert(step.topic);
  for (const std::string& topic : read) topics.insert({topic, dead_letter_topic(topic)});
  topics.erase("");
  return {topics.begin(), topics.end()};
}

std::vector<std::string> Config::topics_to_create() const {
  const auto needed = needed_topics();
  std::set<std::string> topics(needed.begin(), needed.end());
  for (const auto& [name, step] : steps)
    if (!step.topic.empty()) topics.insert(dead_letter_topic(step.topic));
  return {topics.begin(), topics.end()};
}

std::map<std::string, std::vector<std::string>> names_of(
    const Registry& registry, const std::vector<const StepDefinition*>& mentioned) {
  std::map<std::string, std::vector<std::string>> names{{"step", {}}, {"saga", {}}, {"trigger", {}}};
  for (const StepDefinition* step : mentioned) names["step"].emplace_back(step->name);
  for (const SagaDefinition& saga : registry.sagas()) names["saga"].emplace_back(saga.name);
  for (const TriggerDefinition& trigger : registry.triggers()) names["trigger"].push_back(trigger.name);
  return names;
}

Result<Config> load_config(const ConfigSources& sources, const Registry& registry, const Needs& needs,
                           const std::vector<const StepDefinition*>& mentioned) {
  auto values = gather(sources);
  if (!values) return values.error();
  Config config;
  config.values = std::move(*values);
  Builder builder(config, registry, mentioned);
  for (const char* variable : {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGUSER", "PGPORT"})
    builder.pg_variables = builder.pg_variables || sources.environment.contains(variable);
  if (auto done = builder.build(); !done) return done.error();
  if (auto done = builder.require(needs); !done) return done.error();
  return config;
}

std::string describe(const Config& config) {
  std::string text;
  const auto line = [&](const std::string& key, const std::string& value, const std::string& origin) {
    text += key + ": " + value + (origin.empty() ? "  # default" : "  # " + origin) + "\n";
  };
  for (const KeySchema& schema : config_schema()) {
    bool given = false;
    for (const auto& [key, setting] : config.values.settings) {
      if (key.schema != &schema) continue;
      given = true;
      line(key.text(),
           key.secret()     ? "(hidden)"
           : is_uri(schema) ? PostgresConfig{setting.text, "", ""}.shown()
                            : printable(setting.text, 400),
           setting.origin);
    }
    if (given || schema.key.find_first_of("<*") != std::string_view::npos || schema.fallback.empty())
      continue;
    std::string fallback(schema.fallback);
    if (schema.key == "kafka.group") fallback = config.kafka.group;
    if (schema.key == "topics.replies") fallback = config.topics.replies;
    if (schema.key == "topics.lifecycle") fallback = config.topics.lifecycle;
    if (schema.key == "topics.children") fallback = "skald." + config.name_space + ".children";
    if (schema.key == "topics.signals") fallback = "skald." + config.name_space + ".signals";
    line(std::string(schema.key), fallback, "");
  }
  return text;
}

}  // namespace skald::app
