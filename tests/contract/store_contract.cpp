// What the contract's tests build their batches from.
#include "contract/store_contract.hpp"

namespace skald::contract {

Message StoreContract::message(const std::string& text) {
  return {"commands", std::nullopt, "key-" + text, text, {{"ce_id", text}}, text};
}

SagaWrite StoreContract::start(SagaKey key, const std::string& saga_id, Time wake_at) {
  SagaWrite write;
  write.key = key;
  write.sequence = 1;
  write.wake_at = wake_at;
  write.history = {{1, "[{\"started\":\"" + saga_id + "\"}]"}};
  write.messages = {message(saga_id + "-1")};
  write.address = {"PlaceOrder", saga_id};
  write.revision = 3;
  write.route = 4;
  write.input_hash = 0xfedcba9876543210;
  return write;
}

SagaWrite StoreContract::advance(SagaKey key, std::int64_t judged_at, SagaStatus status, Time wake_at) {
  SagaWrite write;
  write.key = key;
  write.judged_at = judged_at;
  write.sequence = judged_at + 1;
  write.status = status;
  write.wake_at = wake_at;
  write.history = {{judged_at + 1, "[\"event " + std::to_string(judged_at + 1) + "\"]"}};
  write.messages = {message(std::to_string(key) + "-" + std::to_string(judged_at + 1))};
  return write;
}

Batch StoreContract::batch(std::vector<SagaWrite> writes) {
  Batch made;
  made.incarnation = incarnation_;
  made.outbox_id = next_outbox_id_++;
  made.writes = std::move(writes);
  return made;
}

SagaRow StoreContract::row_of(const std::string& saga_id) {
  const std::vector<SagaAddress> addresses{{"PlaceOrder", saga_id}};
  auto loaded = must(session_->load(addresses));
  if (loaded.size() != 1) {
    ADD_FAILURE() << "no saga " << saga_id;
    return {};
  }
  return loaded[0].row;
}

std::vector<HistoryRow> StoreContract::history_of(const std::string& saga_id) {
  const std::vector<SagaAddress> addresses{{"PlaceOrder", saga_id}};
  auto loaded = must(session_->load(addresses));
  return loaded.empty() ? std::vector<HistoryRow>{} : std::move(loaded[0].history);
}

ClaimSpec StoreContract::everything() {
  ClaimSpec spec;
  spec.revisions = {{"PlaceOrder", 3}};
  spec.owned_partitions = {0};
  return spec;
}

}  // namespace skald::contract
