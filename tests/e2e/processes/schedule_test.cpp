// Schedules from the command line on real Kafka and PostgreSQL: two processes, one of them killed, each tick once; then
// paused, gone on with, filled up for the past, and deleted.
#include <gtest/gtest.h>

#include <algorithm>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Schedules : public testing::Test {
 protected:
  int schedules(std::vector<std::string> arguments, bool changes = false) {
    arguments.insert(arguments.begin(), "schedules");
    if (changes) arguments.insert(arguments.end(), {"--who", "ann", "--why", "a test"});
    return world_.place_order(arguments, output_);
  }
  int put(const std::vector<std::string>& timing, const std::string& input = kInput) {
    std::vector<std::string> arguments{"put", "orders", "--saga", "place-order", "--input", input};
    arguments.insert(arguments.end(), timing.begin(), timing.end());
    return schedules(arguments, true);
  }
  std::int64_t sagas(const std::string& where = "") {
    return world_.number("SELECT count(*) FROM skald.saga WHERE saga_id LIKE 'orders/%' " + where);
  }
  bool says(const std::string& text) { return output_.find(text) != std::string::npos; }

  static constexpr const char* kInput = R"({"id":"o-s","customer":"ann","sku":"book","total_cents":5})";
  World world_{World::given()};
  std::string output_;
};

TEST_F(Schedules, StartEachTickOnceThoughAProcessIsKilled) {
  world_.prepare();
  Orchestrator first = world_.start_orchestrator();
  Orchestrator second = world_.start_orchestrator();
  ASSERT_EQ(put({"--every", "1s", "--overlap", "allow", "--catch-up", "10m"}), 0) << output_;
  EXPECT_TRUE(says("orders: place-order, every 1s, next ")) << output_;
  ASSERT_TRUE(eventually(60s, [&] { return sagas() >= 3; })) << world_.logs();
  first.process->kill();
  const std::int64_t before = sagas();
  ASSERT_TRUE(eventually(60s, [&] { return sagas() >= before + 5; })) << world_.logs();

  ASSERT_EQ(schedules({"pause", "orders"}, true), 0) << output_;
  EXPECT_EQ(output_, "schedule orders is paused\n");
  // Of the ticks between the first and the last none is missing.
  EXPECT_TRUE(eventually(30s, [&] {
    return world_.number(
               "SELECT count(*) - 1 - extract(epoch FROM max(tick) - min(tick)) FROM (SELECT substr(saga_id, "
               "8)::timestamptz AS tick FROM skald.saga WHERE saga_id LIKE 'orders/%') t") == 0;
  })) << world_.logs();
  EXPECT_TRUE(eventually(60s, [&] { return sagas("AND wake_at IS NOT NULL") == 0; })) << world_.logs();

  const std::string url = "http://127.0.0.1:" + std::to_string(second.port);
  const std::vector<std::string> past{
      "backfill", "orders", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T00:00:05Z", "--url", url};
  ASSERT_EQ(schedules(past), 0) << output_;
  EXPECT_EQ(output_, "ticks: 5, started: 5, existed: 0, refused: 0\n");
  ASSERT_EQ(schedules(past), 0) << output_;
  EXPECT_EQ(output_, "ticks: 5, started: 0, existed: 5, refused: 0\n");

  const std::int64_t paused = sagas();
  ASSERT_EQ(schedules({"resume", "orders"}, true), 0) << output_;
  ASSERT_TRUE(eventually(30s, [&] { return sagas() > paused; })) << world_.logs();
  ASSERT_EQ(schedules({"delete", "orders"}, true), 0) << output_;
  EXPECT_EQ(schedules({"show"}), 0);
  EXPECT_EQ(output_, "there are no schedules\n");
  EXPECT_EQ(
      world_.number("SELECT count(*) FROM skald.schedule_audit WHERE who = 'ann' AND why = 'a test' AND "
                    "action IN ('put', 'pause', 'resume', 'delete')"),
      4);
}

TEST_F(Schedules, AreCheckedBeforeAnythingIsWritten) {
  ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
  EXPECT_EQ(put({"--cron", "0 24 * * *"}), 2);
  EXPECT_TRUE(says("field 2 (hour): '24' is not from 0 to 23 (SKALD-430)")) << output_;
  EXPECT_EQ(put({"--cron", "@daily", "--time-zone", "Europe/Olso"}), 2);
  EXPECT_TRUE(says("time zone 'Europe/Olso': this machine knows none of that name")) << output_;
  EXPECT_EQ(put({"--cron", "@daily"}, R"({"id":7})"), 2);
  EXPECT_TRUE(says("the input does not fit saga place-order")) << output_;
  EXPECT_EQ(put({"--every", "soon"}), 2);
  EXPECT_TRUE(says("--every takes a duration")) << output_;
  EXPECT_EQ(schedules({"pause", "orders"}, true), 1);
  EXPECT_TRUE(says("there is no schedule orders")) << output_;
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.schedule"), 0);
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.schedule_audit"), 0);

  ASSERT_EQ(put({"--cron", "0 3 * * *", "--time-zone", "Europe/Oslo"}), 0) << output_;
  ASSERT_EQ(schedules({"show", "orders"}), 0);
  EXPECT_TRUE(says("cron '0 3 * * *' Europe/Oslo") && says("overlap   skip") && says("catch-up  1h"))
      << output_;
  ASSERT_EQ(schedules({"preview", "orders", "--count", "3"}), 0);
  EXPECT_EQ(std::count(output_.begin(), output_.end(), '\n'), 3) << output_;
  EXPECT_TRUE(says(" 03:00:00 CE")) << output_;
  EXPECT_EQ(
      schedules({"backfill", "orders", "--from", "1971-01-01T00:00:00Z", "--to", "2020-01-01T00:00:00Z"}), 2);
  EXPECT_TRUE(says("more than 10000 ticks")) << output_;
}

}  // namespace
}  // namespace skald::e2e
