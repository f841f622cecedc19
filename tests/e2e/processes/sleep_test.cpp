// Sagas asleep while their orchestrator is killed: real processes, Kafka and PostgreSQL, whose clock is the witness.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

constexpr int kSagas = 10;

/// Fails unless all have completed, each by PostgreSQL's clock not before the time in its history.
constexpr const char* kCheck = R"(
DO $$
DECLARE
  late int; early int;
BEGIN
  SELECT count(*) FILTER (WHERE s.status <> 10),
         count(*) FILTER (WHERE s.ended_at < to_timestamp((regexp_match(h.events, '"until":([0-9]+)'))[1]::bigint / 1000.0)
                             OR s.ended_at < s.started_at + interval '4 seconds' OR s.sequence <> 2)
  INTO late, early
  FROM skald.saga s JOIN skald.history h ON h.saga_key = s.saga_key AND h.sequence = 1;
  IF late > 0 OR early > 0 OR (SELECT count(*) FROM skald.saga) <> 10 THEN
    RAISE EXCEPTION '% not completed, % too early or woken twice', late, early;
  END IF;
END $$)";

TEST(Sleep, OutlivesASigkillAndIsNeverEarlyByThePostgresClock) {
  World world{World::given(), "tests/e2e/sleeper"};
  std::string output;
  ASSERT_EQ(world.place_order({"migrate"}, output), 0) << output;
  auto first = world.start_orchestrator();
  const auto url = "http://127.0.0.1:" + std::to_string(first.port);
  for (int index = 0; index < kSagas; ++index)
    ASSERT_EQ(world.place_order({"start", "take-nap", "--id", "n-" + std::to_string(index), "--input",
                                 R"({"milliseconds":4000})", "--url", url},
                                output),
              0)
        << output;
  first.process->kill();
  ASSERT_EQ(world.place_order({"show", "n-9"}, output), 0) << output;
  EXPECT_NE(output.find("timer 1 until 20"), std::string::npos) << output;
  EXPECT_EQ(output.find("fired"), std::string::npos) << output;
  auto second = world.start_orchestrator();
  for (int index = 0; index < kSagas; ++index)
    ASSERT_TRUE(eventually(60s,
                           [&] {
                             return world.place_order({"show", "n-" + std::to_string(index)}, output) == 0 &&
                                    output.find("completed") != std::string::npos;
                           }))
        << output << world.logs();
  EXPECT_NE(output.find("timer 1 fired"), std::string::npos) << output;
  world.sql(kCheck);
}

}  // namespace
}  // namespace skald::e2e
