// The snippet of docs/signals.md, compiled and run.
#include "../snippet.hpp"
#include "script.hpp"

namespace skald::engine {
namespace {

struct Manuscript {
  std::string title;
};
SKALD_FIELDS(Manuscript, title)
struct Review {
  bool good = false;
  std::string by;
};
SKALD_FIELDS(Review, good, by)
struct Status {
  std::string state, title;
};
SKALD_FIELDS(Status, state, title)
struct Title {
  std::string text;
};
SKALD_FIELDS(Title, text)
struct Printing {
  std::string title, reviewer;
};
SKALD_FIELDS(Printing, title, reviewer)
struct Print : CommandStep<Printing, Nothing> {
  static constexpr std::string_view name = "reserve", topic = "press.commands";
  static constexpr NoCompensation compensation{"printed is printed"};
};

// clang-format off
// snippet begins
class PublishBook : public skald::Saga<Manuscript, skald::Nothing> {
 public:
  static constexpr std::string_view name = "publish-book";

  Status status() const { return {state_, title_}; }       // a query: const, answered from history by any process
  Status retitle(const Title& title) {                     // an update: changes the members, and answers
    if (title.text.empty()) throw std::invalid_argument("a book has a title");  // refused: it has not happened
    title_ = title.text;
    return status();
  }
  static constexpr std::array signals{skald::signal<Review>("review")};
  static constexpr std::array queries{skald::query<&PublishBook::status>("status")};
  static constexpr std::array updates{skald::update<&PublishBook::retitle>("retitle")};

  skald::Task<skald::Nothing> run(skald::Context& saga, Manuscript manuscript) override {
    title_ = manuscript.title;
    state_ = "in review";
    const auto review = co_await saga.signal<Review>("review", std::chrono::days{7});  // std::optional: or nothing in a week
    if (!review || !review->good) throw skald::SagaFailed("rejected", review ? review->by : "nobody answered");
    state_ = "in print";
    co_await saga.step<Print>(title_, review->by);
    co_return skald::Nothing{};
  }

 private:
  std::string state_, title_;
};
// snippet ends
// clang-format on

TEST(SignalsSnippet, DoesWhatThePageSays) {
  Script run(Mode::kReplayedEachTime);
  run.start<PublishBook>(R"({"title":"Egil"})");
  EXPECT_EQ(*run.ask("status", "{}"), R"({"state":"in review","title":"Egil"})");
  EXPECT_EQ(run.verdict(UpdateInput{"retitle", "/test", "1", R"({"text":""})"}).reason, "a book has a title");
  EXPECT_EQ(run.verdict(UpdateInput{"retitle", "/test", "2", R"({"text":"Egil's saga"})"}).answer,
            R"({"state":"in review","title":"Egil's saga"})");
  run.advance(SignalInput{"review", "/test", "1", R"({"good":true,"by":"ann"})"});
  EXPECT_THAT(run.sent(), ::testing::ElementsAre("reserve action 1"));
  EXPECT_EQ(run.messages().back().value, R"({"title":"Egil's saga","reviewer":"ann"})");
  run.succeed(1, 1, "{}");
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST(SignalsSnippet, WithoutAReviewRollsBack) {
  Script run;
  run.start<PublishBook>(R"({"title":"Egil"})");
  run.pass(std::chrono::days{7});
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST(SignalsSnippet, IsTheOneOnThePage) {
  snippets::expect_same_snippet("signals.md", "engine/signals_snippet_test.cpp");
}

}  // namespace
}  // namespace skald::engine
