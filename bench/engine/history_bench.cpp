// What a long history costs the engine: a saga of 1,000 steps is advanced step by step, then rebuilt from its history.
// Prints one JSON object: microseconds a step (median) among the first 100 and among the last 100, milliseconds of a
// replay (median of 21). No database and no Kafka; bench/run shows the same saga on both.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "engine/instance.hpp"
#include "sagas.hpp"

namespace {

using namespace skald;
using Steady = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr int kEdge = 100;
constexpr int kReplays = 21;

class SeededRandom final : public Random {
 public:
  std::uint64_t next() override { return generator_(); }

 private:
  std::mt19937_64 generator_{1};
};

double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

engine::Environment environment(Random& random) {
  engine::Environment environment;
  environment.name_space = "bench";
  environment.reply_topic = "replies";
  environment.lifecycle_topic = "lifecycle";
  environment.build = "bench";
  environment.random = &random;
  const auto& step = step_definition<bench::Next>();
  environment.steps[std::string(step.name)] = {std::string(step.topic), step.options, &step};
  return environment;
}

void keep(StoredSaga& stored, engine::Transition& transition) {
  stored.row.sequence = transition.row->sequence;
  stored.row.status = transition.status;
  stored.row.wake_at = transition.wake_at;
  stored.history.push_back(std::move(*transition.row));
}

}  // namespace

int main() {
  SeededRandom random;
  const auto shared = environment(random);
  const auto definition = make_saga_definition<bench::LongOrder>();
  const SagaAddress address{"long-order", "7a1c9a52-0000-4000-8000-000000000000"};
  const engine::Moment moment{Time{std::chrono::milliseconds{1'800'000'000'000}}, 1};
  StoredSaga stored;
  stored.row.key = 7;
  stored.row.address = address;
  auto started = engine::Instance::start(
      shared, definition, address, 7,
      {R"({"id":"7a1c9a52","customer":"customer-1","sku":"book","total_cents":500})", {}, "bench"}, moment);
  keep(stored, started.transition);
  std::vector<double> costs;
  for (int step = 1; step <= bench::kLongSteps; ++step) {
    engine::ReplyInput reply;
    reply.id = {step, wire::Phase::kAction, 1};
    reply.step = bench::Next::name;
    reply.succeeded = true;
    reply.data = R"({"id":"r-7a1c9a52","warehouse":"north"})";
    const engine::Input input{std::move(reply)};
    const auto began = Steady::now();
    auto verdict = started.instance->advance(input, moment);
    costs.push_back(Microseconds(Steady::now() - began).count());
    if (!verdict.transition) return std::fprintf(stderr, "history_bench: %s\n", verdict.reason.c_str()), 1;
    keep(stored, *verdict.transition);
  }
  std::vector<double> replays;
  for (int round = 0; round < kReplays; ++round) {
    const auto began = Steady::now();
    const auto replayed = engine::Instance::replay(shared, definition, stored);
    replays.push_back(Microseconds(Steady::now() - began).count() / 1000);
    if (replayed.problem)
      return std::fprintf(stderr, "history_bench: %s\n", replayed.problem->message.c_str()), 1;
  }
  std::printf("{\"steps\":%d,\"first_us\":%.2f,\"last_us\":%.2f,\"replay_ms\":%.3f}\n", bench::kLongSteps,
              median({costs.begin(), costs.begin() + kEdge}), median({costs.end() - kEdge, costs.end()}),
              median(replays));
  return 0;
}
