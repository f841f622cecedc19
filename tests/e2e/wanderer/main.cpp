// An orchestrator whose sagas do what lasts: a journey sleeps, is signalled, runs a child saga for each leg and continues
// as new after it. What its local step did stands in files of the folder SKALD_TEST_FOLDER, one a walk.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "skald/skald.hpp"

namespace {

struct Journey {
  int legs = 0;
  bool fails = false;
  std::vector<std::string> log;
};
SKALD_FIELDS(Journey, legs, fails, log)
struct Leg {
  int number = 0;
};
SKALD_FIELDS(Leg, number)
struct Word {
  std::string text;
};
SKALD_FIELDS(Word, text)

/// Done once a key however often it is tried.
class Walk : public skald::LocalStep<Leg, Word> {
 public:
  static constexpr std::string_view name = "walk";
  Word execute(const Leg& leg, skald::StepContext& step) override {
    std::ofstream(file_of(step)) << leg.number;
    return {"leg " + std::to_string(leg.number)};
  }
  void compensate(const Leg&, const std::optional<Word>&, skald::StepContext& step) override {
    std::filesystem::remove(file_of(step));
  }

 private:
  static std::filesystem::path file_of(const skald::StepContext& step) {
    const char* folder = std::getenv("SKALD_TEST_FOLDER");
    std::string name = step.idempotency_key();
    for (char& c : name)
      if (c == '/') c = '+';
    return std::filesystem::path(folder == nullptr ? "." : folder) / name;
  }
};

/// Leaves its token behind; somebody completes it.
class AskTheWay : public skald::LocalStep<Leg, Word> {
 public:
  static constexpr std::string_view name = "ask-the-way";
  static constexpr skald::NoCompensation compensation{"a question takes nothing"};
  Word execute(const Leg&, skald::StepContext& step) override {
    const char* folder = std::getenv("SKALD_TEST_FOLDER");
    const std::filesystem::path file = std::filesystem::path(folder == nullptr ? "." : folder) / "token";
    std::ofstream(file.string() + ".new") << step.token();
    std::filesystem::rename(file.string() + ".new", file);
    step.complete_later();
    return {};
  }
};

struct Ask : skald::Saga<Leg, Word> {
  static constexpr std::string_view name = "ask";
  skald::Task<Word> run(skald::Context& saga, Leg leg) override {
    co_return co_await saga.step<AskTheWay>(leg);
  }
};

struct WalkLeg : skald::Saga<Leg, Word> {
  static constexpr std::string_view name = "walk-leg";
  skald::Task<Word> run(skald::Context& saga, Leg leg) override {
    auto walked = co_await saga.step<Walk>(leg);
    co_await saga.sleep(std::chrono::milliseconds{20});
    co_return walked;
  }
};
struct March : skald::ChildSaga<WalkLeg> {};

class Wander : public skald::Saga<Journey, Journey> {
 public:
  static constexpr std::string_view name = "wander";
  static constexpr std::array signals{skald::signal<Word>("go")};
  skald::Task<Journey> run(skald::Context& saga, Journey journey) override {
    auto walked = co_await saga.step<March>(journey.legs);
    journey.log.push_back(walked.text);
    const auto go = co_await saga.signal<Word>("go", std::chrono::hours{1});
    if (!go) throw skald::SagaFailed("lost", "nobody said go for an hour");
    journey.log.push_back(go->text);
    co_await saga.sleep(std::chrono::milliseconds{20});
    if (--journey.legs > 0) co_await saga.continue_as_new(journey);
    if (journey.fails) throw skald::SagaFailed("no-inn", "all inns are full");
    co_return journey;
  }
};

}  // namespace

int main(int argc, char** argv) {
  skald::Registry registry;
  registry.add_saga<Wander>();
  registry.add_saga<WalkLeg>();
  registry.add_step<Walk>();
  registry.add_saga<Ask>();
  registry.add_step<AskTheWay>();
  return skald::main(argc, argv, registry);
}
