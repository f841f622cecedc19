// The exposition: what the runtime tells appears under the documented names, bounded and escaped.
#include "api/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace skald::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CountWhatTheRuntimeTells) {
  Metrics metrics({"0.1", "abc"});
  metrics.saga_started("place-order");
  metrics.saga_started("place-order");
  metrics.saga_stuck("place-order", "ship-order", "pivot-unknown");
  metrics.saga_ended("place-order", SagaStatus::kCompleted, std::chrono::milliseconds(40));
  metrics.step_settled(
      "place-order", {"reserve-stock", wire::Phase::kAction, true, false, 2, std::chrono::milliseconds(30)});
  metrics.batch_committed(37, std::chrono::milliseconds(4));
  metrics.dead_letter("orders", "SKALD-404");
  metrics.input_ignored("reply", engine::Judgement::kDuplicate);
  metrics.sequence_conflicts(3);
  metrics.reached("store", true);
  EXPECT_THAT(
      metrics.text(),
      AllOf(
          HasSubstr("skald_sagas_started_total{definition=\"place-order\"} 2"),
          HasSubstr("skald_sagas_ended_total{definition=\"place-order\",outcome=\"completed\"} 1"),
          HasSubstr("skald_step_duration_seconds_sum{definition=\"place-order\",outcome=\"succeeded\",phase="
                    "\"action\",step=\"reserve-stock\"} 0.03"),
          HasSubstr("skald_step_attempts_sum{definition=\"place-order\",phase=\"action\",step=\"reserve-"
                    "stock\"} 2"),
          HasSubstr("skald_sagas_became_stuck_total{definition=\"place-order\",reason="
                    "\"pivot-unknown\",step=\"ship-order\"} 1"),
          HasSubstr("skald_batch_inputs_sum 37"), HasSubstr("skald_batch_commit_seconds_count 1")));
  EXPECT_THAT(
      metrics.text(),
      AllOf(HasSubstr("skald_dead_letters_total{reason=\"SKALD-404\",topic=\"orders\"} 1"),
            HasSubstr("skald_duplicates_total{kind=\"reply\"} 1"),
            HasSubstr("skald_sequence_conflicts_total 3"), HasSubstr("skald_reached{what=\"store\"} 1"),
            HasSubstr("skald_build_info{build=\"abc\",version=\"0.1\"} 1"),
            HasSubstr("process_resident_memory_bytes")));
}

TEST(Metrics, OfTheWholeDatabaseComeOnlyFromTheHolderOfTheLease) {
  Metrics metrics({"0.1", "abc"});
  Gauges gauges;
  gauges.open = {{"place-order", SagaStatus::kRunning, 7, Time(std::chrono::seconds(90))},
                 {"place-order", SagaStatus::kStuck, 2, Time(std::chrono::seconds(60))}};
  gauges.stuck = {{"place-order", "reserve-stock", "undeliverable", 2}};
  gauges.outbox_pending = 4;
  metrics.gauges(true, gauges);
  EXPECT_THAT(metrics.text(),
              AllOf(HasSubstr("skald_sagas_open{definition=\"place-order\",state=\"running\"} 7"),
                    HasSubstr("skald_sagas_stuck{definition=\"place-order\",reason=\"undeliverable\",step="
                              "\"reserve-stock\"} 2"),
                    HasSubstr("skald_oldest_open_saga_timestamp_seconds{definition=\"place-order\"} 60"),
                    HasSubstr("skald_outbox_pending 4")));
  gauges.stuck.clear();
  gauges.open.clear();
  metrics.gauges(true, gauges);
  EXPECT_THAT(metrics.text(), AllOf(HasSubstr("skald_sagas_stuck{definition=\"place-order\",reason="
                                              "\"undeliverable\",step=\"reserve-stock\"} 0"),
                                    Not(HasSubstr("skald_oldest_open_saga_timestamp_seconds{"))));
  metrics.gauges(false, {});
  EXPECT_THAT(metrics.text(),
              AllOf(Not(HasSubstr("skald_sagas_open{")), Not(HasSubstr("skald_outbox_pending 4"))));
  metrics.gauges(true, gauges);
  EXPECT_THAT(metrics.text(), HasSubstr("skald_outbox_pending 4"));
}

TEST(Metrics, LagIsThatOfThePartitionsTheProcessHasNow) {
  Metrics metrics({"0.1", "abc"});
  metrics.assigned_partitions({{"orders", 2}, {"replies", 0}});
  metrics.topic_partitions({{"orders", 6}, {"replies", 6}});
  metrics.consumer_lags({{{"orders", 0}, 17}, {{"orders", 3}, 0}});
  EXPECT_THAT(metrics.text(),
              AllOf(HasSubstr("skald_partitions_assigned{topic=\"orders\"} 2"),
                    HasSubstr("skald_partitions_assigned{topic=\"replies\"} 0"),
                    HasSubstr("skald_topic_partitions{topic=\"orders\"} 6"),
                    HasSubstr("skald_consumer_lag_records{partition=\"0\",topic=\"orders\"} 17"),
                    HasSubstr("skald_consumer_lag_records{partition=\"3\",topic=\"orders\"} 0"),
                    HasSubstr("skald_records_total{result=\"dead_letter\",topic=\"orders\"} 0")))
      << "a counter that an alert goes by is there before it counts";
  metrics.consumer_lags({{{"orders", 3}, 4}});
  EXPECT_THAT(metrics.text(),
              AllOf(Not(HasSubstr("skald_consumer_lag_records{partition=\"0\"")),
                    HasSubstr("skald_consumer_lag_records{partition=\"3\",topic=\"orders\"} 4")));
}

TEST(Metrics, FailedCompensationsAreCountedBesideThoseThatWereDone) {
  Metrics metrics({"0.1", "abc"});
  metrics.step_settled("place-order", {"reserve-stock", wire::Phase::kCompensation, false, false, 3,
                                       std::chrono::milliseconds(30)});
  const std::string labels = "skald_compensations_total{definition=\"place-order\",outcome=";
  EXPECT_THAT(metrics.text(), AllOf(HasSubstr(labels + "\"failed\",step=\"reserve-stock\"} 1"),
                                    HasSubstr(labels + "\"succeeded\",step=\"reserve-stock\"} 0")));
}

TEST(Metrics, SayWhatTheProcessRunsOn) {
  Metrics metrics({"0.1", "abc"}, "", {"shop", "00c0ffee"});
  metrics.definition("place-order", std::chrono::minutes(2));
  metrics.definition("wander", std::nullopt);
  metrics.local_step("walk");
  int asked = 0;
  metrics.connections([&asked] { return ++asked; });
  EXPECT_THAT(metrics.text(),
              AllOf(HasSubstr("skald_configuration_info{checksum=\"00c0ffee\",skald_namespace=\"shop\"} 1"),
                    HasSubstr("skald_saga_objective_seconds{definition=\"place-order\"} 120"),
                    Not(HasSubstr("skald_saga_objective_seconds{definition=\"wander\"}")),
                    HasSubstr("skald_long_histories_total{definition=\"wander\"} 0"),
                    HasSubstr("skald_local_steps_overdue_total{step=\"walk\"} 0"),
                    HasSubstr("skald_database_connections 1")));
  EXPECT_THAT(metrics.text(), HasSubstr("skald_database_connections 2"));
}

TEST(Metrics, DurationsFitSagasOfTenMillisecondsAndOfTenDays) {
  Metrics metrics({"0.1", "abc"});
  metrics.saga_ended("quick", SagaStatus::kCompleted, std::chrono::milliseconds(9));
  metrics.saga_ended("long", SagaStatus::kCompleted, std::chrono::hours(24 * 9));
  const auto bucket = [](const std::string& definition, const std::string& bound) {
    return "skald_saga_duration_seconds_bucket{definition=\"" + definition +
           "\",outcome=\"completed\",le=\"" + bound + "\"} ";
  };
  EXPECT_THAT(metrics.text(),
              AllOf(HasSubstr(bucket("quick", "0.005") + "0"), HasSubstr(bucket("quick", "0.01") + "1"),
                    HasSubstr(bucket("long", "604800") + "0"), HasSubstr(bucket("long", "864000") + "1")));
}

TEST(Metrics, StayBoundedAndOnOneLineWhateverTheLabels) {
  Metrics metrics({"0.1", "abc"});
  for (int index = 0; index < 3000; ++index)
    metrics.saga_stuck("place-order", "ship-order", "reason-" + std::to_string(index));
  metrics.saga_started("evil\"\nskald_fake 1");
  const std::string text = metrics.text();
  EXPECT_THAT(text, AllOf(HasSubstr("definition=\"other\""), Not(HasSubstr("\nskald_fake 1"))));
  EXPECT_LT(text.size(), 200'000U);
}

TEST(Metrics, AreAllDocumentedAndNothingElseIs) {
  Metrics metrics({"0.1", "abc"});
  const auto names_in = [](const std::string& text, const std::regex& pattern) {
    std::set<std::string> names;
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
      names.insert((*at)[1]);
    return names;
  };
  std::ifstream file(SKALD_SOURCE_DIR "/docs/metrics.md");
  std::stringstream document;
  document << file.rdbuf();
  const auto documented = names_in(document.str(), std::regex("\\| `((skald|process)_[a-z_]+)`"));
  auto told = names_in(metrics.text(), std::regex("# HELP ((skald|process)_[a-z_]+)"));
  told.insert(metrics.names().begin(), metrics.names().end());
  EXPECT_EQ(documented, told);
}

}  // namespace
}  // namespace skald::api
