// The admin requests of librdkafka; see topic_admin.hpp.
#include "kafka/topic_admin.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "kafka/questioner.hpp"

namespace skald::kafka {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kRound{200};
constexpr int kOperationMilliseconds = 10'000;

struct DestroyResource {
  void operator()(rd_kafka_ConfigResource_t* resource) const { rd_kafka_ConfigResource_destroy(resource); }
};
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, DestroyResource>;

TopicState state_of(const rd_kafka_metadata_topic_t& topic) {
  TopicState state;
  state.partitions = topic.partition_cnt;
  for (int index = 0; index < topic.partition_cnt; ++index) {
    const int copies = topic.partitions[index].replica_cnt;
    state.replication = index == 0 ? copies : std::min(state.replication, copies);
  }
  return state;
}

void read_configuration(const rd_kafka_ConfigResource_t& resource, TopicState& state) {
  if (rd_kafka_ConfigResource_error(&resource) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  std::size_t count = 0;
  const auto** entries = rd_kafka_ConfigResource_configs(&resource, &count);
  for (std::size_t index = 0; index < count; ++index) {
    const char* value = rd_kafka_ConfigEntry_value(entries[index]);
    if (value == nullptr) continue;
    const std::string name = rd_kafka_ConfigEntry_name(entries[index]);
    if (name == "retention.ms") state.retention = std::chrono::milliseconds{std::stoll(value)};
    if (name == "cleanup.policy") state.compacted = std::string(value).find("compact") != std::string::npos;
  }
}

/// Retention and compaction. Who may not ask for them is told what there is without them.
void add_configurations(rd_kafka_t* client, std::map<std::string, TopicState>& states,
                        std::chrono::milliseconds timeout) {
  std::vector<Resource> owned;
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const auto& [name, state] : states) {
    owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    resources.push_back(owned.back().get());
  }
  if (resources.empty()) return;
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
  rd_kafka_DescribeConfigs(client, resources.data(), resources.size(), nullptr, queue.get());
  const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), milliseconds(timeout)));
  if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  std::size_t count = 0;
  const auto** answers =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (std::size_t index = 0; index < count; ++index)
    if (const auto place = states.find(rd_kafka_ConfigResource_name(answers[index])); place != states.end())
      read_configuration(*answers[index], place->second);
}

Result<std::vector<Owned<rd_kafka_NewTopic_t>>> requests_of(std::span<const NewTopic> topics) {
  std::array<char, 512> text{};
  std::vector<Owned<rd_kafka_NewTopic_t>> requests;
  for (const NewTopic& topic : topics) {
    Owned<rd_kafka_NewTopic_t> request(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                                             topic.replication > 0 ? topic.replication : -1,
                                                             text.data(), text.size()));
    if (!request)
      return Error{ErrorKind::kRefused, "SKALD-208", "topic '" + topic.name + "': " + text.data()};
    if (topic.retention)
      rd_kafka_NewTopic_set_config(request.get(), "retention.ms",
                                   std::to_string(topic.retention->count()).c_str());
    requests.push_back(std::move(request));
  }
  return requests;
}

Result<void> request_topics(rd_kafka_t* client, std::span<const NewTopic> topics) {
  auto requests = requests_of(topics);
  if (!requests) return requests.error();
  std::vector<rd_kafka_NewTopic_t*> list;
  for (const auto& request : *requests) list.push_back(request.get());
  std::array<char, 512> text{};
  const Owned<rd_kafka_AdminOptions_t> settings(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
  rd_kafka_AdminOptions_set_operation_timeout(settings.get(), kOperationMilliseconds, text.data(),
                                              text.size());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
  rd_kafka_CreateTopics(client, list.data(), list.size(), settings.get(), queue.get());
  const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), milliseconds(kPatience)));
  if (!event) return to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, "creating topics");
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_error(code, "creating topics", rd_kafka_event_error_string(event.get()));
  std::size_t count = 0;
  const auto* answer = rd_kafka_event_CreateTopics_result(event.get());
  const auto** results = rd_kafka_CreateTopics_result_topics(answer, &count);
  for (std::size_t index = 0; index < count; ++index) {
    const auto code = rd_kafka_topic_result_error(results[index]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* reason = rd_kafka_topic_result_error_string(results[index]);
    return to_error(code, std::string("creating topic '") + rd_kafka_topic_result_name(results[index]) + "'",
                    reason != nullptr ? reason : "");
  }
  return {};
}

}  // namespace

Result<std::map<std::string, TopicState>> describe_topics(const Options& options,
                                                          std::span<const std::string> names,
                                                          std::chrono::milliseconds timeout) {
  Questioner questioner(options);
  if (auto started = questioner.start(options); !started) return started.error();
  // All of them: asking by name would create a topic where brokers are set to do that.
  const auto metadata = questioner.metadata(timeout);
  if (!metadata) return metadata.error();
  std::map<std::string, TopicState> states;
  for (int index = 0; index < (*metadata)->topic_cnt; ++index) {
    const auto& topic = (*metadata)->topics[index];
    if (topic.partition_cnt > 0 && std::find(names.begin(), names.end(), topic.topic) != names.end())
      states[topic.topic] = state_of(topic);
  }
  add_configurations(questioner.client(), states, timeout);
  return states;
}

Result<void> create_topics(const Options& options, std::span<const NewTopic> topics) {
  if (topics.empty()) return {};
  Questioner questioner(options);
  if (auto started = questioner.start(options); !started) return started.error();
  if (auto reached = questioner.topics(kPatience); !reached) return reached.error();
  if (auto done = request_topics(questioner.client(), topics); !done) return done;
  // The controller has them; brokers learn of them a moment later.
  const auto deadline = steady_clock::now() + kPatience;
  while (steady_clock::now() < deadline) {
    const auto known = questioner.topics(kRound);
    if (known && std::all_of(topics.begin(), topics.end(),
                             [&known](const NewTopic& topic) { return known->contains(topic.name); }))
      return {};
  }
  return Error{ErrorKind::kUnavailable, "SKALD-203", "created topics are not visible yet"};
}

}  // namespace skald::kafka
