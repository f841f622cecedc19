// Queries and updates: what a saga's object answers, what refuses an update, and what its history keeps. Method: as
// timer_test.cpp.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::HasSubstr;

struct Basket {
  std::vector<std::string> items;
};
SKALD_FIELDS(Basket, items)
struct Item {
  std::string name;
};
SKALD_FIELDS(Item, name)
struct Count {
  int count = 0;
};
SKALD_FIELDS(Count, count)

class Shopping : public Saga<Order, Done> {
 public:
  static constexpr std::string_view name = "shopping";

  Count add(const Item& item) {
    if (item.name.empty()) throw std::invalid_argument("an item has a name");
    basket_.items.push_back(item.name);
    if (basket_.items.size() > 3) throw std::length_error("the basket is full");
    return {static_cast<int>(basket_.items.size())};
  }
  void close() { closed_ = true; }
  Basket basket() const { return basket_; }
  Count holds(const Item& item) const {
    if (item.name == "?") throw std::runtime_error("no such item");
    return {static_cast<int>(std::count(basket_.items.begin(), basket_.items.end(), item.name))};
  }
  static constexpr std::array queries{query<&Shopping::basket>("basket"), query<&Shopping::holds>("holds")};
  static constexpr std::array updates{update<&Shopping::add>("add"), update<&Shopping::close>("close")};

  Task<Done> run(Context& saga, Order order) override {
    const bool in_time = co_await saga.wait_until([this] { return closed_; }, 1h);
    if (!in_time) throw SagaFailed("abandoned-basket", "nobody paid within an hour");
    co_return co_await saga.step<Ship>(basket_.items.empty() ? order.id : basket_.items.front(), order.cents);
  }

 private:
  Basket basket_;
  bool closed_ = false;
};

class Updates : public EngineTest {
 protected:
  void SetUp() override { run.start<Shopping>(); }
  Verdict send(const std::string& name, const std::string& id, const std::string& data) {
    return run.verdict(UpdateInput{name, "/test", id, data});
  }
  Result<std::string> ask(const std::string& name, const std::string& input = "{}") {
    return run.ask(name, input);
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Updates, ::testing::Values(Mode::kCached, Mode::kReplayedEachTime),
                         [](const auto& info) {
                           return info.param == Mode::kCached ? "cached" : "replayed";
                         });

TEST_P(Updates, ChangeTheSagaAndAnswer) {
  EXPECT_EQ(send("add", "1", R"({"name":"lamp"})").answer, R"({"count":1})");
  EXPECT_EQ(send("add", "2", R"({"name":"rope"})").answer, R"({"count":2})");
  EXPECT_EQ(*ask("basket"), R"({"items":["lamp","rope"]})");
  EXPECT_EQ(*ask("holds", R"({"name":"rope"})"), R"({"count":1})");
  EXPECT_EQ(send("close", "3", "{}").answer, "{}");
  EXPECT_THAT(run.sent(), ::testing::ElementsAre("ship action 1"));
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_EQ(*ask("basket"), R"({"items":["lamp","rope"]})") << "an ended saga answers too";
}

TEST_P(Updates, OfTheSameIdGetTheSameAnswerAndHappenOnce) {
  send("add", "1", R"({"name":"lamp"})");
  const Verdict again = send("add", "1", R"({"name":"lamp"})");
  EXPECT_EQ(again.judgement, Judgement::kDuplicate);
  EXPECT_EQ(again.answer, R"({"count":1})");
  EXPECT_EQ(*ask("basket"), R"({"items":["lamp"]})");
}

TEST_P(Updates, RefusedOnesHaveNotHappened) {
  for (int number = 1; number <= 3; ++number) send("add", std::to_string(number), R"({"name":"lamp"})");
  const Verdict full = send("add", "4", R"({"name":"lamp"})");
  EXPECT_EQ(full.judgement, Judgement::kRefused);
  EXPECT_EQ(full.reason, "the basket is full");
  EXPECT_EQ(*ask("basket"), R"({"items":["lamp","lamp","lamp"]})") << "its handler changed a copy";
  EXPECT_EQ(run.status().sequence, 4);
}

TEST_P(Updates, ThatDoNotFitAreRefusedByName) {
  EXPECT_EQ(send("ad", "1", "{}").reason, "the saga takes no update named ad; it takes add, close");
  EXPECT_THAT(send("add", "1", R"({"name":7})").reason, HasSubstr("/name"));
  EXPECT_EQ(ask("baskets").error().message, "the saga takes no query named baskets; it takes basket, holds");
  EXPECT_EQ(ask("holds", R"({"name":"?"})").error().message, "no such item");
}

TEST_P(Updates, AfterTheEndAreRefused) {
  run.pass(1h);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
  EXPECT_EQ(send("add", "1", R"({"name":"lamp"})").judgement, Judgement::kEnded);
}

/// A handler that differs from the one that answered: replay says so instead of going on with another basket.
class ShoppingChanged : public Saga<Order, Done> {
 public:
  static constexpr std::string_view name = "shopping";
  Count add(const Item& item) {
    if (item.name == "lamp") throw std::invalid_argument("no lamps any more");
    return {1};
  }
  static constexpr std::array updates{update<&ShoppingChanged::add>("add")};
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.wait_until([] { return false; }, 1h);
    co_return Done{order.id};
  }
};

TEST_P(Updates, ThatTheCodeWouldRefuseNowAreADivergence) {
  send("add", "1", R"({"name":"lamp"})");
  const auto problem = run.deploy<ShoppingChanged>();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->sequence, 2);
  EXPECT_THAT(problem->message, HasSubstr("`update add`, which the code refuses: no lamps any more"));
}

}  // namespace
}  // namespace skald::engine
