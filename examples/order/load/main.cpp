// order-load: produces orders and waits for their outcomes. Progress goes to stdout, a line each; the last line is the
// report as JSON. Exit code 0 when every acknowledged order has exactly one outcome, 1 otherwise, 2 for wrong options.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "kafka/kafka_bus.hpp"
#include "load.hpp"

namespace {

std::atomic<bool> interrupted{false};

void interrupt(int) { interrupted.store(true); }

struct Arguments {
  std::string kafka = "127.0.0.1:9092";
  std::string outcomes_file;
  long timeout_seconds = 120;
  long settle_ms = 0;
  bool uuid = false;
  std::vector<std::string> create;  ///< topics; nothing else is done
  std::int32_t partitions = 6;
  shop::LoadOptions load;
};

void declare(CLI::App& app, Arguments& arguments) {
  auto& load = arguments.load;
  app.add_option("--kafka", arguments.kafka, "Bootstrap servers")->envname("SKALD_KAFKA");
  app.add_option("--topic", load.orders_topic, "Where orders go");
  app.add_option("--lifecycle", load.lifecycle_topic, "Where outcome events come from");
  app.add_option("--orders", load.orders, "How many")->check(CLI::Range(1, 100'000'000));
  app.add_option("--rate", load.rate, "Orders a second; 0: as fast as possible")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--in-flight", load.in_flight, "At most so many without outcome; 0: no bound");
  app.add_option("--warm-up", load.warm_up, "The first so many outcomes are not measured");
  app.add_option("--failing", load.mix.failing_percent, "Percent that fail in one of the ways of the demo")
      ->check(CLI::Range(0, 100));
  app.add_flag("--only-at-shipping", load.mix.only_at_shipping,
               "All that fail are refused by shipping, the last step");
  app.add_option("--padding", load.mix.padding_bytes, "Bytes added to the customer's name of every order")
      ->check(CLI::Range(0, 200'000));
  app.add_flag("--only-produce", load.only_produce,
               "Wait for no outcome and keep no account of orders: open loop, for any number of them");
  app.add_option("--notify-at", load.notify_at, "Print the line `reached` once so many outcomes are in");
  app.add_option("--timeout", arguments.timeout_seconds,
                 "Seconds without any outcome after which the rest is lost");
  app.add_option("--settle-ms", arguments.settle_ms, "Read on for so long: is there a second outcome?");
  app.add_option("--outcomes", arguments.outcomes_file,
                 "Write a line for each order: id, scenario, outcome (tabs)");
  app.add_option("--seed", load.mix.seed, "Of ids and order of scenarios; default: random");
  app.add_option("--create", arguments.create, "Only create these topics, if they do not exist")
      ->delimiter(',');
  app.add_option("--partitions", arguments.partitions, "Of topics created so")->check(CLI::Range(1, 1000));
  app.add_flag("--uuid", arguments.uuid, "Random UUIDs as order ids instead of readable ones");
  app.footer("Example: order-load --kafka 127.0.0.1:19092 --orders 1000 --rate 200");
}

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

int run(const Arguments& arguments) {
  skald::kafka::Options options;
  options.bootstrap_servers = arguments.kafka;
  options.client_id = "order-load";
  auto bus = skald::kafka::open(options);
  if (!bus) {
    std::fprintf(stderr, "order-load: %s\n", bus.error().message.c_str());
    return 2;
  }
  if (!arguments.create.empty()) {
    const auto created = bus.value()->create_topics(arguments.create, arguments.partitions);
    if (!created) std::fprintf(stderr, "order-load: %s\n", created.error().message.c_str());
    return created ? 0 : 1;
  }
  shop::Load load{*bus.value(), arguments.load};
  const auto total = std::to_string(arguments.load.orders);
  const auto result = load.run(
      [&](std::size_t sent, std::size_t outcomes) {
        say("progress sent " + std::to_string(sent) + " outcomes " + std::to_string(outcomes) + " of " +
            total);
      },
      [] { say("reached"); }, [] { return interrupted.load(); });
  if (!result) {
    std::fprintf(stderr, "order-load: %s\n", result.error().message.c_str());
    return 1;
  }
  if (arguments.load.only_produce) {
    say("{\"sent\":" + std::to_string(load.sent_count()) +
        ",\"acknowledged\":" + std::to_string(load.acknowledged_count()) + "}");
    return 0;
  }
  if (!arguments.outcomes_file.empty()) {
    std::ofstream file{arguments.outcomes_file};
    load.ledger().write(file);
    if (!file.flush()) {
      std::fprintf(stderr, "order-load: cannot write %s\n", arguments.outcomes_file.c_str());
      return 1;
    }
  }
  const auto report = load.ledger().report();
  say(skald::to_json(report));
  const bool complete = report.orders == static_cast<std::int64_t>(arguments.load.orders);
  return complete && report.lost == 0 && report.contradicted == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  arguments.load.mix.seed = std::random_device{}();
  CLI::App app{"Produces orders to Kafka and waits for the outcome of each."};
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  arguments.load.timeout = std::chrono::seconds{arguments.timeout_seconds};
  arguments.load.settle = std::chrono::milliseconds{arguments.settle_ms};
  arguments.load.mix.ids = arguments.uuid ? shop::Ids::kUuid : shop::Ids::kReadable;
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  return run(arguments);
}
