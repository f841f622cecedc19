// A client of Kafka that asks and neither reads nor publishes. Internal to this folder.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "kafka/client.hpp"

namespace skald::kafka {

/// Used by one thread at a time.
class Questioner final : private ClientEvents {
 public:
  explicit Questioner(const Options& options)
      : target_(std::make_shared<CallbackTarget>(static_cast<ClientEvents*>(this), log_of(options))) {}
  ~Questioner() override { destroy_client(std::move(client_), target_); }

  Result<void> start(const Options& options) {
    auto made = start_client(options, Role::kQuestions, "", target_);
    if (!made) return made.error();
    client_ = std::move(*made);
    return {};
  }

  [[nodiscard]] rd_kafka_t* client() const { return client_.get(); }

  /// All topics of the cluster and their partitions. Asks in short rounds, so that a refusal ends the wait.
  Result<Owned<const rd_kafka_metadata_t>> metadata(std::chrono::milliseconds timeout) {
    constexpr std::chrono::milliseconds kRound{200};
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      const auto round = std::clamp(left, std::chrono::milliseconds{1}, kRound);
      const rd_kafka_metadata_t* found = nullptr;
      const auto code = rd_kafka_metadata(client_.get(), 1, nullptr, &found, milliseconds(round));
      Owned<const rd_kafka_metadata_t> metadata(found);
      rd_kafka_poll(client_.get(), 0);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return metadata;
      if (refused_ != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(refused_, "connecting to Kafka", reason_);
      if (left <= round) return to_error(RD_KAFKA_RESP_ERR__TRANSPORT, "connecting to Kafka", reason_);
    }
  }

  /// The number of partitions of every topic.
  Result<std::map<std::string, std::int32_t>> topics(std::chrono::milliseconds timeout) {
    const auto answer = metadata(timeout);
    if (!answer) return answer.error();
    std::map<std::string, std::int32_t> found;
    for (int index = 0; index < (*answer)->topic_cnt; ++index)
      if (const auto& topic = (*answer)->topics[index]; topic.partition_cnt > 0)
        found[topic.topic] = topic.partition_cnt;
    return found;
  }

 private:
  void on_error(rd_kafka_resp_err_t code, const std::string& reason) override {
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !reason_.empty())
      return;  // says less than the one before
    reason_ = reason;
    if (is_authentication(code, reason)) refused_ = code;
  }

  const std::shared_ptr<CallbackTarget> target_;
  Owned<rd_kafka_t> client_;
  rd_kafka_resp_err_t refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string reason_;
};

}  // namespace skald::kafka
