// An orchestrator whose one saga collects votes: by signal, asked by query, changed by update.
#include "skald/skald.hpp"

namespace {

struct Ballot {
  std::string question;
  int votes = 0;
};
SKALD_FIELDS(Ballot, question, votes)
struct Vote {
  std::string by;
  bool yes = false;
};
SKALD_FIELDS(Vote, by, yes)
struct Tally {
  std::string question;
  std::vector<std::string> yes, no;
};
SKALD_FIELDS(Tally, question, yes, no)
struct Question {
  std::string text;
};
SKALD_FIELDS(Question, text)

class CollectVotes : public skald::Saga<Ballot, Tally> {
 public:
  static constexpr std::string_view name = "collect-votes";

  Tally tally() const { return tally_; }
  Tally ask(const Question& question) {
    if (!tally_.yes.empty() || !tally_.no.empty()) throw std::logic_error("somebody has voted already");
    tally_.question = question.text;
    return tally_;
  }
  static constexpr std::array signals{skald::signal<Vote>("vote")};
  static constexpr std::array queries{skald::query<&CollectVotes::tally>("tally")};
  static constexpr std::array updates{skald::update<&CollectVotes::ask>("ask")};

  skald::Task<Tally> run(skald::Context& saga, Ballot ballot) override {
    tally_.question = ballot.question;
    for (int vote = 0; vote < ballot.votes; ++vote) {
      const auto given = co_await saga.signal<Vote>("vote", std::chrono::hours{1});
      if (!given) throw skald::SagaFailed("no-vote", "nobody voted for an hour");
      (given->yes ? tally_.yes : tally_.no).push_back(given->by);
      co_await saga.sleep(std::chrono::milliseconds{20});
    }
    co_return tally_;
  }

 private:
  Tally tally_;
};

}  // namespace

int main(int argc, char** argv) {
  skald::Registry registry;
  registry.add_saga<CollectVotes>();
  return skald::main(argc, argv, registry);
}
