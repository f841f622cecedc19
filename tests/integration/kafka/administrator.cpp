// See administrator.hpp. Each call is a client of its own and fails the test when the cluster refuses.
#include "administrator.hpp"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <functional>

namespace skald::contract {
namespace {

void administer(const std::string& servers, const std::function<void(rd_kafka_t*, rd_kafka_queue_t*)>& ask) {
  std::array<char, 512> text{};
  auto* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", servers.c_str(), text.data(), text.size());
  auto* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size());
  ASSERT_NE(client, nullptr) << text.data();
  auto* queue = rd_kafka_queue_new(client);
  ask(client, queue);
  auto* event = rd_kafka_queue_poll(queue, 30'000);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_event_error_string(event);
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
}

}  // namespace

void delete_topic(const std::string& servers, const std::string& topic) {
  administer(servers, [&](rd_kafka_t* client, rd_kafka_queue_t* queue) {
    auto* wanted = rd_kafka_DeleteTopic_new(topic.c_str());
    rd_kafka_DeleteTopics(client, &wanted, 1, nullptr, queue);
    rd_kafka_DeleteTopic_destroy(wanted);
  });
}

void delete_records_before(const std::string& servers, const PartitionOffset& offset) {
  administer(servers, [&](rd_kafka_t* client, rd_kafka_queue_t* queue) {
    auto* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, offset.partition.topic.c_str(), offset.partition.partition)
        ->offset = offset.offset;
    auto* wanted = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(client, &wanted, 1, nullptr, queue);
    rd_kafka_DeleteRecords_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(list);
  });
}

void grow_topic(const std::string& servers, const std::string& topic, int partitions) {
  std::array<char, 512> text{};
  administer(servers, [&](rd_kafka_t* client, rd_kafka_queue_t* queue) {
    auto* wanted = rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(partitions),
                                              text.data(), text.size());
    rd_kafka_CreatePartitions(client, &wanted, 1, nullptr, queue);
    rd_kafka_NewPartitions_destroy(wanted);
  });
}

}  // namespace skald::contract
