// What people and log collectors read: log lines, timelines, lists. Nothing foreign may break out of its line (B10).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_text.hpp"
#include "app/log.hpp"
#include "app/timeline.hpp"
#include "engine/event.hpp"
#include "skald/json.hpp"

namespace skald::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Time kNoon{std::chrono::milliseconds{1'795'262'400'250}};

TEST(LogLine, IsOneJsonObjectWhateverItsFieldsHold) {
  const LogField fields[] = {{"saga", "a\"\n{\"level\":\"error\"}\x1b[31m"}, {"level", "fake"}, {"count", 7}};
  const std::string line = json_line(kNoon, LogLevel::kWarning, "A sentence.", fields);
  const auto document = json::Document::parse(line);
  ASSERT_TRUE(document) << line;
  EXPECT_EQ(document->root().find("level")->as_string(), "warning");
  EXPECT_EQ(document->root().find("message")->as_string(), "A sentence.");
  EXPECT_EQ(document->root().find("field_level")->as_string(), "fake");
  EXPECT_EQ(document->root().find("count")->as_string(), "7");
  EXPECT_THAT(line, AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))));
}

TEST(LogLine, IsOneLineOfTextAsWell) {
  const LogField fields[] = {{"id", "o-1"}, {"reason", "two words\nand a line"}};
  EXPECT_EQ(text_line(kNoon, LogLevel::kInfo, "A sentence.", fields).substr(24),
            " info A sentence. id=o-1 reason=\"two words\\x0aand a line\"");
}

TEST(Spans, AreShort) {
  EXPECT_EQ(format_span(std::chrono::milliseconds(340)), "340ms");
  EXPECT_EQ(format_span(std::chrono::milliseconds(12'460)), "12.4s");
  EXPECT_EQ(format_span(std::chrono::seconds(200)), "3m 20s");
  EXPECT_EQ(format_span(std::chrono::hours(7 * 24 + 3)), "7d 3h");
}

engine::Event event(engine::EventKind kind, int ordinal = 0, const char* step = "", const char* data = "") {
  engine::Event event;
  event.kind = kind;
  event.ordinal = ordinal;
  event.step = step;
  event.data = data;
  return event;
}

TEST(Timeline, TellsUntilWhenASagaSleeps) {
  StoredSaga saga;
  saga.row.address = {"free-trial", "t-1"};
  saga.row.started_at = kNoon;
  auto timer = event(engine::EventKind::kTimer, 1);
  timer.until = kNoon + std::chrono::days{30};
  const auto fired = event(engine::EventKind::kFired, 1);
  saga.history = {{1, engine::write_entry({kNoon, "b", {timer}})},
                  {2, engine::write_entry({*timer.until, "", {fired}})}};
  const std::string text = timeline(saga);
  EXPECT_THAT(text, HasSubstr("timer 1 until 2026-12-21T12:00:00.250Z"));
  EXPECT_THAT(text, HasSubstr("+30d  timer 1 fired"));
}

TEST(Timeline, TellsTheStoryOfARollback) {
  StoredSaga saga;
  saga.row.address = {"place-order", "o-17"};
  saga.row.status = SagaStatus::kCompensated;
  saga.row.sequence = 3;
  saga.row.started_at = kNoon;
  saga.row.ended_at = kNoon + std::chrono::milliseconds(1'500);
  auto declined = event(engine::EventKind::kFailed, 2, "charge-card");
  declined.failure = {"card-declined", "no\nmoney", Retry::never, false};
  saga.history = {{1, engine::write_entry({kNoon,
                                           "b1",
                                           {event(engine::EventKind::kStarted, 0, "", R"({"id":"o-17"})"),
                                            event(engine::EventKind::kStep, 1, "reserve-stock")}})},
                  {2, engine::write_entry({kNoon + std::chrono::milliseconds(40),
                                           "b1",
                                           {declined, event(engine::EventKind::kRollback)}})},
                  {3, "not a history row"}};
  const std::string text = timeline(saga);
  EXPECT_THAT(text, AllOf(HasSubstr("place-order o-17   compensated"), HasSubstr("after 1.5s"),
                          HasSubstr("step 1 reserve-stock scheduled"), HasSubstr("+40ms"),
                          HasSubstr("step 2 charge-card failed: card-declined: no\\x0amoney, for good"),
                          HasSubstr("rolls back"), HasSubstr("3  unreadable:")));
}

TEST(List, AlignsItsColumnsAndNamesWhyASagaIsStuck) {
  SagaRow row;
  row.address = {"place-order", "o-1"};
  row.status = SagaStatus::kStuck;
  row.stuck_reason = "compensation-refused";
  row.stuck_step = "charge-card";
  row.started_at = kNoon;
  EXPECT_THAT(saga_table({row}, kNoon + std::chrono::minutes(2)),
              AllOf(HasSubstr("DEFINITION"), HasSubstr("stuck"),
                    HasSubstr("open for 2m  compensation-refused at charge-card")));
}

TEST(Printable, ShowsWhatIsVisibleAndEscapesTheRest) {
  EXPECT_EQ(printable("Bjørn… 12€ 日本 🚚"), "Bjørn… 12€ 日本 🚚");
  EXPECT_EQ(printable("a\x1b[31m\n\t\x7f"), "a\\x1b[31m\\x0a\\x09\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\xc2\\x9b2J")
      << "a control character of the upper half";
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "evil"),
            "\\xe2\\x80\\xaeevil")
      << "it turns the line round";
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80\xff\xe2\x82"), "\\xc0\\xaf\\xed\\xa0\\x80\\xff\\xe2\\x82");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

}  // namespace
}  // namespace skald::app
