// Options from flags and environment. What is wrong is said in one line that names it.
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "command_limits.hpp"
#include "skald/participant.hpp"
#include "wire/command_id.hpp"

namespace skald::participant {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(2);
}

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

void add_list(std::vector<std::string>& all, const std::string& list) {
  for (std::size_t start = 0; start <= list.size();) {
    const auto comma = std::min(list.find(',', start), list.size());
    all.push_back(list.substr(start, comma - start));
    start = comma + 1;
  }
}

/// What of the changes of limits is wrong whatever the steps' own limits are.
void check_limit_changes(const Options& options) {
  detail::CommandLimits::Limits changed;
  for (const auto& change : options.limit_changes)
    if (const auto problem = detail::set_limit(changed, change)) refuse("--limit: " + *problem);
  for (const auto& [step, limits] : changed)
    if (const auto problem = detail::problem_of(step, limits)) refuse("--limit: " + *problem);
}

std::size_t positive(const std::string& flag, const std::string& text) {
  char* end = nullptr;
  const auto number = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || number < 1 || number > 10'000)
    refuse(flag + ": takes a number from 1 to 10000");
  return number;
}

void usage(const char* program) {
  std::printf(
      "%s --schema NAME --topic TOPIC[,TOPIC…] [--kafka SERVERS] [--postgres URI] [--group NAME] [--batch "
      "N]\n"
      "   [--lifecycle-topic TOPIC [--inbox-retention-hours N]] [--limit STEP.KEY=VALUE]…\n"
      "   [--kafka-property NAME=VALUE]…\n\n"
      "KEY: maximum_concurrent, maximum_starts_per_second, breaker.failures, breaker.attempts, "
      "breaker.open_for\n"
      "Environment: SKALD_SCHEMA, SKALD_TOPIC, SKALD_KAFKA, SKALD_POSTGRES, SKALD_GROUP, "
      "SKALD_LIFECYCLE_TOPIC, SKALD_LIMIT.\n\n"
      "Example: %s --schema inventory --topic inventory.commands --kafka 127.0.0.1:19092\n",
      program, program);
  std::exit(0);
}

void apply_flag(Options& options, const std::string& flag, const std::string& value) {
  if (flag == "--kafka") {
    options.kafka = value;
  } else if (flag == "--postgres") {
    options.postgres = value;
  } else if (flag == "--group") {
    options.group = value;
  } else if (flag == "--schema") {
    options.schema = value;
  } else if (flag == "--topic") {
    add_list(options.topics, value);
  } else if (flag == "--limit") {
    add_list(options.limit_changes, value);
  } else if (flag == "--lifecycle-topic") {
    options.lifecycle_topic = value;
  } else if (flag == "--inbox-retention-hours") {
    options.inbox_retention = std::chrono::hours(positive(flag, value));
  } else if (flag == "--batch") {
    options.maximum_batch = positive(flag, value);
  } else if (flag == "--kafka-property") {
    const auto equals = value.find('=');
    if (equals == std::string::npos || equals == 0) refuse(flag + ": takes NAME=VALUE");
    options.kafka_properties[value.substr(0, equals)] = value.substr(equals + 1);
  } else {
    refuse(flag + ": unknown option (--help)");
  }
}

}  // namespace

Options Options::from(int argc, char** argv, Options defaults) {
  Options options = std::move(defaults);
  const auto default_topics = std::exchange(options.topics, {});
  if (const auto limits = environment("SKALD_LIMIT", {}); !limits.empty())
    add_list(options.limit_changes, limits);
  options.handle_signals = true;
  options.kafka = environment("SKALD_KAFKA", options.kafka);
  options.postgres = environment("SKALD_POSTGRES", options.postgres);
  options.group = environment("SKALD_GROUP", options.group);
  options.schema = environment("SKALD_SCHEMA", options.schema);
  options.lifecycle_topic = environment("SKALD_LIFECYCLE_TOPIC", options.lifecycle_topic);
  options.unsafe_without_inbox = environment("SKALD_UNSAFE_NO_INBOX", {}) == "1";
  for (int index = 1; index < argc; ++index) {
    std::string flag = argv[index];
    if (flag == "--help" || flag == "-h") usage(argv[0]);
    const auto equals = flag.find('=');
    if (flag.starts_with("--") && equals != std::string::npos) {
      apply_flag(options, flag.substr(0, equals), flag.substr(equals + 1));
    } else {
      if (index + 1 >= argc) refuse(flag + ": takes a value (--help)");
      apply_flag(options, flag, argv[++index]);
    }
  }
  if (const auto topics = environment("SKALD_TOPIC", {}); options.topics.empty() && !topics.empty())
    add_list(options.topics, topics);
  if (options.topics.empty()) options.topics = default_topics;
  if (!wire::is_valid_name(options.schema)) refuse("--schema: missing or not a name");
  if (options.topics.empty()) refuse("--topic: missing");
  for (const auto& topic : options.topics)
    if (!wire::is_valid_topic(topic)) refuse("--topic: not a topic's name");
  if (!options.lifecycle_topic.empty() && !wire::is_valid_topic(options.lifecycle_topic))
    refuse("--lifecycle-topic: not a topic's name");
  if (options.group.empty()) options.group = options.schema;
  check_limit_changes(options);
  return options;
}

}  // namespace skald::participant
