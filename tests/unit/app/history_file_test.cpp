// Exported histories come back as they were, and what is wrong with one is named.
#include <gtest/gtest.h>

#include "app/history_file.hpp"

namespace skald::app {
namespace {

StoredSaga saga() {
  StoredSaga saga;
  saga.row.address = {"place-order", "o/17"};
  saga.row.key = 7'000'000'000'000'000'001;
  saga.row.revision = 2;
  saga.row.sequence = 9;
  saga.row.run_from = 8;
  saga.row.status = SagaStatus::kRollingBack;
  saga.history = {{8, "{\"at\":1}\n\"quoted\" \xc3\xb8 \\ \t\n#0\n"}, {9, ""}};
  return saga;
}

TEST(HistoryFile, GivesBackWhatReplayNeeds) {
  const std::string line = to_history_line(saga());
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line";
  const auto read = from_history_line(line);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->row.address, saga().row.address);
  EXPECT_EQ(read->row.key, saga().row.key);
  EXPECT_EQ(read->row.revision, 2);
  EXPECT_EQ(read->row.sequence, 9);
  EXPECT_EQ(read->row.run_from, 8);
  EXPECT_EQ(read->row.status, SagaStatus::kRollingBack);
  ASSERT_EQ(read->history.size(), 2u);
  EXPECT_EQ(read->history[0].sequence, 8);
  EXPECT_EQ(read->history[0].events, saga().history[0].events);
}

TEST(HistoryFile, NamesWhatIsWrong) {
  const std::string line = to_history_line(saga());
  const auto with = [&line](const std::string& from, const std::string& to) {
    std::string changed = line;
    changed.replace(changed.find(from), from.size(), to);
    const auto read = from_history_line(changed);
    return read.ok() ? std::string("it was read") : read.error().message;
  };
  EXPECT_EQ(with("\"id\":", "\"ids\":"), "/id takes a text");
  EXPECT_EQ(with("rolling_back", "rolling"), "/status takes a saga's status");
  EXPECT_EQ(with("\"sequence\":9,\"run", "\"sequence\":0,\"run"), "/sequence takes a whole number from 1");
  EXPECT_EQ(with("\"run_from\":8", "\"run_from\":\"8\""), "/run_from takes a whole number from 1");
  EXPECT_EQ(with("\"key\":\"", "\"key\":\"x"), "/key takes a number, as a text");
  EXPECT_EQ(with("\"events\":\"\"", "\"events\":7"), "/history/1 takes an object with sequence and events");
  EXPECT_EQ(with("\"history\":", "\"past\":"), "/history takes a list of rows");
  EXPECT_FALSE(from_history_line(line.substr(0, line.size() / 2)).ok());
}

}  // namespace
}  // namespace skald::app
