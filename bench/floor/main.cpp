// floor: the least that an order saga's messages and rows can cost. `floor orchestrate` and `floor participants` are
// run beside Skald by bench/run; docs/benchmarks.md says what they do and what they leave out.
#include <CLI/CLI.hpp>
#include <array>
#include <string>

#include "floor.hpp"

int main(int argc, char** argv) {
  std::string kafka = "127.0.0.1:9092";
  std::string postgres;
  std::string name = "floor";
  std::string linger_ms = "0.1";
  int lanes = 4;
  int batch = 500;
  CLI::App app{
      "The floor of the saturation benchmark: the messages and rows of an order saga, without saga logic."};
  app.require_subcommand(1);
  app.add_option("--kafka", kafka, "Bootstrap servers");
  app.add_option("--name", name, "Of this run: its schema, and the prefix of its topics");
  app.add_option("--linger-ms", linger_ms, "How long a message waits for others to go with it");
  auto* orchestrate = app.add_subcommand("orchestrate", "Orders in, commands out, replies in, outcomes out");
  orchestrate->add_option("--postgres", postgres, "libpq URI; the run's schema must hold Skald's tables")
      ->required();
  orchestrate->add_option("--lanes", lanes, "Threads, each with a connection")->check(CLI::Range(1, 64));
  orchestrate->add_option("--batch", batch, "Records a transaction, at most")->check(CLI::Range(2, 100'000));
  auto* waking = app.add_subcommand("wake", "Ends the sagas that fall due");
  waking->add_option("--postgres", postgres, "libpq URI; the run's schema must hold Skald's tables")
      ->required();
  waking->add_option("--lanes", lanes, "Threads, each with a connection")->check(CLI::Range(1, 64));
  waking->add_option("--batch", batch, "Sagas a transaction, at most")->check(CLI::Range(1, 100'000));
  auto* participants = app.add_subcommand("participants", "Answers commands from memory");
  std::array<std::string, 3> commands;
  auto* given = participants->add_option("--commands", commands,
                                         "Where an orchestrator that is not the floor sends its "
                                         "reserve, charge and ship commands");
  given->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  bench::Names names{name};
  names.linger_ms = linger_ms;
  if (orchestrate->parsed()) bench::orchestrate(kafka, postgres, names, lanes, batch);
  if (waking->parsed()) bench::wake(kafka, postgres, names, lanes, batch);
  bench::participate(kafka, given->count() > 0 ? commands : names.commands, linger_ms);
}
