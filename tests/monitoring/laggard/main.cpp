// An orchestrator whose one saga has a local step that does what its input says: it fails, which opens its circuit
// breaker, or it runs on past its deadline until somebody writes into the pipe SKALD_TEST_RELEASE.
#include <cstdlib>
#include <fstream>
#include <string>

#include "skald/skald.hpp"

namespace {

using namespace std::chrono_literals;

struct Work {
  bool fails = false;
};
SKALD_FIELDS(Work, fails)
struct Done {
  std::string how;
};
SKALD_FIELDS(Done, how)

class Toil : public skald::LocalStep<Work, Done> {
 public:
  static constexpr std::string_view name = "toil";
  static constexpr skald::NoCompensation compensation{"it leaves nothing behind"};
  static constexpr skald::StepOptions options{.start_to_close = 1s,
                                              .retry = {.initial_interval = 100ms, .maximum_interval = 200ms},
                                              .limits = {.breaker = {.failures = 3, .open_for = 1h}}};
  Done execute(const Work& work, skald::StepContext&) override {
    if (work.fails) throw std::runtime_error("as asked");
    const char* release = std::getenv("SKALD_TEST_RELEASE");
    Done done;
    std::getline(std::ifstream(release == nullptr ? "/dev/null" : release), done.how);
    return done;
  }
};

struct Labour : skald::Saga<Work, Done> {
  static constexpr std::string_view name = "labour";
  skald::Task<Done> run(skald::Context& saga, Work work) override {
    co_return co_await saga.step<Toil>(work);
  }
};

}  // namespace

int main(int argc, char** argv) {
  skald::Registry registry;
  registry.add_saga<Labour>();
  registry.add_step<Toil>();
  return skald::main(argc, argv, registry);
}
