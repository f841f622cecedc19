// Configuration and the few calls of librdkafka that the floor needs.
#include "kafka.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

namespace bench {
namespace {

using Settings = std::vector<std::pair<const char*, std::string>>;

constexpr int kTimeoutMs = 10'000;

rd_kafka_conf_t* configuration(const std::string& servers, const Settings& settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> problem{};
  const auto set = [&](const char* name, const std::string& value) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), problem.data(), problem.size()) != RD_KAFKA_CONF_OK)
      give_up(problem.data());
  };
  set("bootstrap.servers", servers);
  set("client.id", "floor");
  set("socket.nagle.disable", "true");
  for (const auto& [name, value] : settings) set(name, value);
  return conf;
}

rd_kafka_t* create(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  std::array<char, 512> problem{};
  rd_kafka_t* client = rd_kafka_new(type, conf, problem.data(), problem.size());
  if (client == nullptr) give_up(problem.data());
  return client;
}

std::map<std::string, int> partition_counts(rd_kafka_t* client) {
  const struct rd_kafka_metadata* metadata = nullptr;
  if (rd_kafka_metadata(client, 1, nullptr, &metadata, kTimeoutMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    give_up("Kafka does not answer");
  std::map<std::string, int> counts;
  for (int index = 0; index < metadata->topic_cnt; ++index)
    counts[metadata->topics[index].topic] = metadata->topics[index].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  return counts;
}

}  // namespace

void encode(const OutMessage& message, std::string& into) {
  const auto add = [&into](std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    into.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
  };
  add(message.topic);
  add(message.key);
  add(message.value);
  for (const auto& [name, value] : message.headers.list) {
    add(name);
    add(value);
  }
}

void give_up(const std::string& what) {
  std::fprintf(stderr, "floor: %s\n", what.c_str());
  std::_Exit(1);
}

Producer::Producer(const std::string& servers, const std::string& linger_ms, Acknowledged acknowledged)
    : acknowledged_(std::move(acknowledged)) {
  rd_kafka_conf_t* conf = configuration(servers, {{"enable.idempotence", "true"},
                                                  {"acks", "all"},
                                                  {"partitioner", "murmur2_random"},
                                                  {"queue.buffering.max.ms", linger_ms},
                                                  {"queue.buffering.max.messages", "1000000"}});
  rd_kafka_conf_set_dr_msg_cb(conf, report);
  rd_kafka_conf_set_opaque(conf, this);
  client_ = create(RD_KAFKA_PRODUCER, conf);
  std::thread([this] {
    while (true) rd_kafka_poll(client_, 100);
  }).detach();
}

void Producer::report(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) give_up(rd_kafka_err2str(message->err));
  static_cast<Producer*>(self)->acknowledged_(message->_private);
}

void Producer::produce(const OutMessage& message, void* opaque) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.list.size());
  for (const auto& [name, value] : message.headers.list)
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  const auto error = rd_kafka_producev(
      client_, RD_KAFKA_V_TOPIC(message.topic), RD_KAFKA_V_KEY(message.key.data(), message.key.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(message.value.data()), message.value.size()),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) give_up(rd_kafka_err2str(error));
}

Consumer::Consumer(const std::string& servers, const std::vector<std::string>& topics, std::size_t lanes) {
  client_ = create(RD_KAFKA_CONSUMER, configuration(servers, {{"group.id", "floor"},
                                                              {"enable.auto.commit", "false"},
                                                              {"enable.auto.offset.store", "false"},
                                                              {"fetch.wait.max.ms", "100"},
                                                              {"queued.max.messages.kbytes", "32768"}}));
  for (std::size_t lane = 0; lane < lanes; ++lane) lanes_.push_back(rd_kafka_queue_new(client_));
  const auto counts = partition_counts(client_);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(64);
  for (const auto& topic : topics) {
    if (!counts.contains(topic)) give_up("topic " + topic + " does not exist");
    for (int partition = 0; partition < counts.at(topic); ++partition) {
      rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
      rd_kafka_queue_t* queue = rd_kafka_queue_get_partition(client_, topic.c_str(), partition);
      rd_kafka_queue_forward(queue, lanes_[static_cast<std::size_t>(partition) % lanes]);
      rd_kafka_queue_destroy(queue);
    }
  }
  if (rd_kafka_assign(client_, list) != RD_KAFKA_RESP_ERR_NO_ERROR) give_up("assign failed");
  for (int index = 0; index < list->cnt; ++index) {  // assigning resets what a partition's queue forwards to
    const auto& element = list->elems[index];
    rd_kafka_queue_t* queue = rd_kafka_queue_get_partition(client_, element.topic, element.partition);
    rd_kafka_queue_forward(queue, lanes_[static_cast<std::size_t>(element.partition) % lanes]);
    rd_kafka_queue_destroy(queue);
  }
  rd_kafka_topic_partition_list_destroy(list);
  std::thread([this] {
    while (true) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client_, 100);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) give_up("a record came past its lane");
      rd_kafka_message_destroy(message);
    }
  }).detach();
}

std::size_t Consumer::poll(std::size_t lane, int timeout_ms, std::vector<rd_kafka_message_t*>& into,
                           std::size_t maximum) {
  into.resize(maximum);
  auto count = rd_kafka_consume_batch_queue(lanes_[lane], timeout_ms, into.data(), 1);
  if (count > 0)
    count +=
        std::max<ssize_t>(0, rd_kafka_consume_batch_queue(lanes_[lane], 0, into.data() + 1, maximum - 1));
  into.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  return into.size();
}

std::string_view header(const rd_kafka_message_t* message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return {static_cast<const char*>(value), size};
}

}  // namespace bench
