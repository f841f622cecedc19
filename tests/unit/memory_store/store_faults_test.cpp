// The faults of the memory store: each error kind means what the port says it means.
#include <gtest/gtest.h>

#include "memory/memory_store.hpp"

namespace skald::memory {
namespace {

class FixedClock : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override { return {}; }
  Time wall() const override { return Time{std::chrono::milliseconds{1'700'000'000'000}}; }
};

Batch one_start() {
  Batch batch;
  batch.outbox_id = 1;
  SagaWrite write;
  write.key = 1;
  write.sequence = 1;
  write.wake_at = kNever;
  write.history = {{1, "[]"}};
  write.address = {"PlaceOrder", "order-1"};
  batch.writes = {write};
  return batch;
}

class MemoryStoreFaults : public testing::Test {
 protected:
  ErrorKind kind_of_next_commit() {
    const auto result = session_->commit(one_start());
    EXPECT_FALSE(result);
    return result ? ErrorKind::kInvalid : result.error().kind;
  }

  FixedClock clock_;
  MemoryStore store_{clock_};
  std::unique_ptr<Session> session_ = std::move(store_.open()).value();
};

TEST_F(MemoryStoreFaults, AnUnknownOutcomeMayHaveTakenEffect) {
  store_.fail_next_commits(CommitFault::kUnknownApplied);
  EXPECT_EQ(kind_of_next_commit(), ErrorKind::kUnknown);
  EXPECT_EQ(store_.sagas().size(), 1u);
}

TEST_F(MemoryStoreFaults, AnUnknownOutcomeMayHaveTakenNoEffect) {
  store_.fail_next_commits(CommitFault::kUnknownNotApplied);
  EXPECT_EQ(kind_of_next_commit(), ErrorKind::kUnknown);
  EXPECT_EQ(store_.sagas().size(), 0u);
}

TEST_F(MemoryStoreFaults, OtherFaultsLeaveNothingAndPass) {
  store_.fail_next_commits(CommitFault::kRetry);
  store_.fail_next_commits(CommitFault::kUnavailable);
  store_.fail_next_commits(CommitFault::kInvalid);
  EXPECT_EQ(kind_of_next_commit(), ErrorKind::kRetry);
  EXPECT_EQ(kind_of_next_commit(), ErrorKind::kUnavailable);
  EXPECT_EQ(kind_of_next_commit(), ErrorKind::kInvalid);
  EXPECT_EQ(store_.sagas().size(), 0u);
  EXPECT_TRUE(session_->commit(one_start()));
}

TEST_F(MemoryStoreFaults, TheHookSeesEachBatchAndDecides) {
  int asked = 0;
  store_.set_commit_hook([&](const Batch& batch) {
    asked += static_cast<int>(batch.writes.size());
    return asked == 1 ? CommitFault::kInvalid : CommitFault::kNone;
  });
  EXPECT_EQ(kind_of_next_commit(), ErrorKind::kInvalid);
  EXPECT_TRUE(session_->commit(one_start()));
  EXPECT_EQ(asked, 2);
}

TEST_F(MemoryStoreFaults, AnAbsentStoreAnswersUnavailableUntilItIsBack) {
  store_.set_available(false);
  EXPECT_EQ(session_->now().error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(store_.open().error().kind, ErrorKind::kUnavailable);
  store_.set_available(true);
  EXPECT_TRUE(session_->now());
}

}  // namespace
}  // namespace skald::memory
