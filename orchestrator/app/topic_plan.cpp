// The plan of topics; see topic_plan.hpp.
#include "app/topic_plan.hpp"

#include <algorithm>

#include "wire/dead_letter.hpp"

namespace skald::app {
namespace {

/// What each topic is for. Of one that is for several things, all of them.
std::map<std::string, std::string> purposes_of(const Config& config) {
  std::map<std::string, std::string> purposes;
  const auto add = [&purposes](const std::string& topic, const std::string& purpose) {
    if (topic.empty()) return;
    std::string& known = purposes[topic];
    if (known.find(purpose) == std::string::npos) known += (known.empty() ? "" : ", ") + purpose;
  };
  for (const DatabaseConfig& one : config.databases) add(one.replies, "replies");
  for (const TriggerConfig& trigger : config.triggers) add(trigger.topic, "trigger");
  for (const SignalConfig& signal : config.signals) add(signal.topic, "signals");
  add(config.topics.signals, "signals");
  add(config.topics.children, "child sagas");
  add(config.topics.lifecycle, "outcomes");
  for (const auto& [name, step] : config.steps)
    if (step.topic != config.topics.children) add(step.topic, "commands");
  for (const std::string& topic : config.topics_to_create())
    if (!purposes.contains(topic)) purposes[topic] = "dead letters";
  return purposes;
}

/// The topic a dead-letter topic belongs to; empty if it is none.
std::string topic_of(const std::string& name) {
  return name.ends_with(wire::kDeadLetterSuffix)
             ? name.substr(0, name.size() - wire::kDeadLetterSuffix.size())
             : "";
}

std::string retention_text(const std::optional<std::chrono::milliseconds>& retention) {
  if (!retention) return "default";
  return retention->count() < 0 ? "for ever" : format_duration(*retention);
}

std::vector<std::string> differences_of(const PlannedTopic& topic) {
  const kafka::NewTopic& wanted = topic.wanted;
  const kafka::TopicState& now = *topic.now;
  const bool own = topic.purpose == "replies" || topic.purpose == "signals" ||
                   topic.purpose == "child sagas" || topic.purpose == "outcomes";
  const bool dead_letters = topic.purpose == "dead letters";
  std::vector<std::string> found;
  // Triggers and commands may have other writers and readers with needs of their own.
  if ((own && now.partitions != wanted.partitions) || (dead_letters && now.partitions < wanted.partitions))
    found.push_back("has " + std::to_string(now.partitions) + " partitions, not " +
                    std::to_string(wanted.partitions));
  if (wanted.replication > 0 && now.replication < wanted.replication)
    found.push_back("has " + std::to_string(now.replication) + " copies of each partition, not " +
                    std::to_string(wanted.replication));
  const bool shorter =
      now.retention && now.retention->count() >= 0 && wanted.retention && *now.retention < *wanted.retention;
  if (shorter)
    found.push_back("keeps its records for " + retention_text(now.retention) + ", not " +
                    retention_text(wanted.retention));
  if (now.compacted && topic.purpose != "outcomes")
    found.emplace_back("is compacted: records that are not read yet go when another has their key");
  return found;
}

}  // namespace

std::vector<PlannedTopic> plan_topics(const Config& config,
                                      const std::map<std::string, kafka::TopicState>& cluster) {
  std::vector<PlannedTopic> plan;
  for (const auto& [name, purpose] : purposes_of(config)) {
    PlannedTopic topic{{name, config.topics.partitions, config.topics.replication, config.topics.retention},
                       purpose,
                       {},
                       {}};
    if (purpose == "dead letters")
      if (const auto base = cluster.find(topic_of(name)); base != cluster.end())
        topic.wanted.partitions = base->second.partitions;
    if (const auto found = cluster.find(name); found != cluster.end()) {
      topic.now = found->second;
      topic.differences = differences_of(topic);
    }
    plan.push_back(std::move(topic));
  }
  return plan;
}

std::string describe(const std::vector<PlannedTopic>& plan) {
  std::vector<std::vector<std::string>> rows{
      {"TOPIC", "FOR", "PARTITIONS", "REPLICATION", "RETENTION", "NOW"}};
  std::size_t missing = 0;
  std::size_t differ = 0;
  for (const PlannedTopic& topic : plan) {
    std::string now = topic.now ? "" : "missing";
    for (const std::string& difference : topic.differences) now += (now.empty() ? "" : "; ") + difference;
    missing += topic.now ? 0 : 1;
    differ += topic.differences.empty() ? 0 : 1;
    // What is there is shown as it is; what is not, as it would be created.
    const int replication = topic.now ? topic.now->replication : topic.wanted.replication;
    rows.push_back({topic.wanted.name, topic.purpose,
                    std::to_string(topic.now ? topic.now->partitions : topic.wanted.partitions),
                    replication > 0 ? std::to_string(replication) : "default",
                    retention_text(topic.now ? topic.now->retention : topic.wanted.retention),
                    now.empty() ? "ok" : now});
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t column = 0; column + 1 < row.size(); ++column)
      text += row[column] + std::string(widths[column] - row[column].size() + 2, ' ');
    text += row.back() + "\n";
  }
  return text + std::to_string(missing) + " missing, " + std::to_string(differ) + " not as wanted\n";
}

std::string narrow_dead_letter_topics(const std::map<std::string, std::int32_t>& partitions) {
  std::string text;
  for (const auto& [name, count] : partitions) {
    const auto base = partitions.find(topic_of(name));
    if (base == partitions.end() || count >= base->second) continue;
    text += (text.empty() ? "" : "; ") + name + " has " + std::to_string(count) + " partitions, " +
            base->first + " has " + std::to_string(base->second);
  }
  return text.empty() ? text
                      : text +
                            ": a dead letter goes into the partition it came from, so that topic needs "
                            "as many";
}

Result<void> check_topics(const std::vector<std::string>& needed,
                          const std::map<std::string, std::int32_t>& partitions) {
  if (const std::string narrow = narrow_dead_letter_topics(partitions); !narrow.empty())
    return Error{ErrorKind::kRefused, "SKALD-962", narrow};
  std::string names;
  std::size_t missing = 0;
  for (const std::string& topic : needed) {
    if (partitions.contains(topic)) continue;
    names += (names.empty() ? "" : ", ") + topic;
    ++missing;
  }
  if (missing == 0) return {};
  return Error{ErrorKind::kRefused, "SKALD-960",
               "Kafka has no topic " + names + ": create " + (missing == 1 ? "it" : "them") +
                   " (topics --apply), or set topics.create: true"};
}

}  // namespace skald::app
