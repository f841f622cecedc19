// The contract of ports/store.hpp as tests. A binary that holds an implementation links this suite and instantiates
// it with a function that makes a fresh, empty store; nothing else differs between memory and PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/store.hpp"

namespace skald::contract {

/// An empty store of one test, gone when this goes.
class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  virtual Store& store() = 0;
  /// As if `span` had passed on the store's clock: everything stored is that much older.
  virtual void let_time_pass(std::chrono::milliseconds span) = 0;
};

using MakeStore = std::unique_ptr<StoreHarness> (*)();

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << "unexpected error: " << result.error().message;
    return T{};
  }
  return std::move(result).value();
}

inline void must(const Result<void>& result) {
  EXPECT_TRUE(result) << "unexpected error: " << result.error().message;
}

class StoreContract : public testing::TestWithParam<MakeStore> {
 protected:
  void SetUp() override {
    harness_ = GetParam()();
    ASSERT_NE(harness_, nullptr);
    session_ = open();
    ASSERT_NE(session_, nullptr);
    incarnation_ = must(session_->register_incarnation("host-a", "build-1"));
  }

  std::unique_ptr<Session> open() { return must(harness_->store().open()); }

  /// A start at sequence 1 with one event and one message.
  static SagaWrite start(SagaKey key, const std::string& saga_id, Time wake_at = kNever);
  /// A transition from `judged_at` to the next sequence, with one event and one message.
  static SagaWrite advance(SagaKey key, std::int64_t judged_at, SagaStatus status = SagaStatus::kRunning,
                           Time wake_at = kNever);
  static Message message(const std::string& text);
  Batch batch(std::vector<SagaWrite> writes);
  SagaRow row_of(const std::string& saga_id);
  std::vector<HistoryRow> history_of(const std::string& saga_id);
  /// Everything of the definition "PlaceOrder" at revision 3, as a single process that owns partition 0 of 1.
  static ClaimSpec everything();

  std::unique_ptr<StoreHarness> harness_;
  std::unique_ptr<Session> session_;
  Incarnation incarnation_ = 0;
  std::int64_t next_outbox_id_ = 1;
};

}  // namespace skald::contract
