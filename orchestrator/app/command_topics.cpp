// topics: which topics the configuration needs, how they are in the cluster, and to create those that are missing.
#include <algorithm>

#include "app/commands.hpp"
#include "app/service.hpp"
#include "app/topic_plan.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::milliseconds kPatience{10'000};

Result<std::vector<PlannedTopic>> plan_of(const Config& config, const kafka::Options& kafka) {
  const auto cluster = kafka::describe_topics(kafka, config.topics_to_create(), kPatience);
  if (!cluster) return cluster.error();
  return plan_topics(config, *cluster);
}

}  // namespace

int run_topics(const Program& program, const TopicsOptions& options) {
  if (options.plan == options.apply)
    return program.fail({ErrorKind::kInvalid, kCodeUsage, "topics takes --plan or --apply"});
  const auto config = program.config({.kafka = true, .wiring = true});
  if (!config) return program.fail(config.error());
  NullLogger logger;
  const kafka::Options kafka = kafka_options(*config, logger);
  auto plan = plan_of(*config, kafka);
  if (!plan) return program.fail(plan.error());
  if (options.apply) {
    std::vector<kafka::NewTopic> missing;
    for (const PlannedTopic& topic : *plan)
      if (!topic.now) missing.push_back(topic.wanted);
    if (auto created = kafka::create_topics(kafka, missing); !created) return program.fail(created.error());
    for (const kafka::NewTopic& topic : missing) print("created " + topic.name + "\n");
    plan = plan_of(*config, kafka);
    if (!plan) return program.fail(plan.error());
  }
  print(describe(*plan));
  const bool fine = std::all_of(plan->begin(), plan->end(), [](const PlannedTopic& topic) {
    return topic.now && topic.differences.empty();
  });
  return fine ? kExitOk : kExitNo;
}

}  // namespace skald::app
