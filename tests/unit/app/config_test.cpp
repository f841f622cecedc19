// Configuration: what is accepted, and what a stranger reads when it is not. Each case goes through
// load_config as skald::main calls it, with files and environment given as maps.
#include "app/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_schema.hpp"
#include "skald/skald.hpp"

#include <fstream>
#include <sstream>

namespace skald::app {
namespace {

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

class PlaceOrder : public skald::Saga<Order, Order> {
 public:
  static constexpr std::string_view name = "place-order";
  skald::Task<Order> run(skald::Context&, Order order) override { co_return order; }
};

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

StepDefinition command_step(std::string_view name, std::string_view topic) {
  StepDefinition step;
  step.name = name;
  step.topic = topic;
  step.options.retry.maximum_attempts = 5;
  return step;
}

/// A binary with saga place-order, steps reserve-stock (topic in its class) and ship-order (none), and, once
/// a test writes the files and variables, its configuration.
class Configuration : public testing::Test {
 protected:
  Configuration()
      : reserve_(command_step("reserve-stock", "inventory.commands")), ship_(command_step("ship-order", "")) {
    registry_.add_saga<PlaceOrder>().trigger("order-placed", [](const Order& order, const Record&) {
      return std::optional(Start<Order>{order.id, order});
    });
  }

  Result<Config> load(const std::string& yaml, const Needs& needs = {}) {
    files_["skald.yaml"] = yaml;
    ConfigSources sources;
    sources.file = "skald.yaml";
    sources.environment = environment_;
    sources.read_file = [this](const std::string& path) -> Result<std::string> {
      const auto found = files_.find(path);
      if (found == files_.end()) return Error{ErrorKind::kInvalid, "", "No such file or directory"};
      return found->second;
    };
    sources.names = names_of(registry_, mentioned_);
    return load_config(sources, registry_, needs, mentioned_);
  }

  std::string refusal(const std::string& yaml, const Needs& needs = {}) {
    const auto config = load(yaml, needs);
    return config ? "accepted" : config.error().code + " " + config.error().message;
  }

  StepDefinition reserve_, ship_;
  std::vector<const StepDefinition*> mentioned_{&reserve_, &ship_};
  Registry registry_;
  std::map<std::string, std::string> files_, environment_;
};

TEST_F(Configuration, IsEmptyAndEverythingHasItsDefault) {
  const auto config = load("");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->name_space, "default");
  EXPECT_EQ(config->kafka.group, "skald-default");
  EXPECT_EQ(config->topics.replies, "skald.default.replies");
  EXPECT_EQ(config->http.listen.port, 8080);
  EXPECT_EQ(config->steps.at("reserve-stock").topic, "inventory.commands");
  EXPECT_EQ(config->steps.at("reserve-stock").options.retry.maximum_attempts, 5);
}

TEST_F(Configuration, ChangesOneNumberOfAStepAndKeepsTheOthers) {
  const auto config = load(R"(
steps:
  reserve-stock:
    topic: warehouse.commands
    schedule_to_close: 1h30m
    retry: {initial_interval: 250ms, non_retryable: [out-of-stock, unknown-sku]}
)");
  ASSERT_TRUE(config) << config.error().message;
  const auto& step = config->steps.at("reserve-stock");
  EXPECT_EQ(step.topic, "warehouse.commands");
  EXPECT_EQ(step.options.schedule_to_close, std::chrono::minutes(90));
  EXPECT_EQ(step.options.retry.initial_interval, std::chrono::milliseconds(250));
  EXPECT_EQ(step.options.retry.maximum_attempts, 5);
  EXPECT_TRUE(step.options.retry.non_retryable.contains("unknown-sku"));
}

TEST_F(Configuration, TakesEveryKeyFromTheEnvironmentWhichWinsOverTheFile) {
  environment_ = {{"SKALD_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092"},
                  {"SKALD_STEPS_RESERVE_STOCK_RETRY_MAXIMUM_ATTEMPTS", "7"},
                  {"SKALD_KAFKA_PROPERTIES_SECURITY_PROTOCOL", "ssl"},
                  {"SKALD_SAGAS_PLACE_ORDER_DEADLINE", "7d"}};
  const auto config = load("kafka: {bootstrap_servers: 'other:9092'}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->kafka.bootstrap_servers, "kafka:9092");
  EXPECT_EQ(config->steps.at("reserve-stock").options.retry.maximum_attempts, 7);
  EXPECT_EQ(config->kafka.properties.at("security.protocol"), "ssl");
  EXPECT_EQ(config->sagas.at("place-order").deadline, std::chrono::days(7));
}

TEST_F(Configuration, NamesAnUnknownKeyItsPlaceAndTheNearestOne) {
  EXPECT_EQ(
      refusal("kafka:\n  bootstrap_server: a:1\n"),
      "SKALD-902 skald.yaml:2: kafka.bootstrap_server: no such key; did you mean kafka.bootstrap_servers?");
  EXPECT_EQ(refusal("steps:\n  reserve-stock:\n    retry:\n      max_attempts: 3\n"),
            "SKALD-902 skald.yaml:4: steps.reserve-stock.retry.max_attempts: no such key; did you mean "
            "steps.reserve-stock.retry.maximum_attempts?");
  EXPECT_EQ(refusal("steps:\n  reserve-stok:\n    topic: x\n"),
            "SKALD-902 skald.yaml:3: steps.reserve-stok.topic: this binary has no step named reserve-stok; "
            "did you mean "
            "reserve-stock?");
  EXPECT_EQ(refusal("triggers:\n  order-place: {topic: orders}\n"),
            "SKALD-902 skald.yaml:2: triggers.order-place: this binary has no trigger of that name in code, "
            "did you mean "
            "order-placed?; for a trigger by configuration set triggers.order-place.saga as well");
}

TEST_F(Configuration, NamesAMisspeltVariableAndOnlyNotesAForeignOne) {
  environment_ = {{"SKALD_KAFKA_BOOTSTRAP_SERVER", "a:1"}};
  EXPECT_EQ(refusal(""),
            "SKALD-902 SKALD_KAFKA_BOOTSTRAP_SERVER: no key has this environment variable; did you mean "
            "SKALD_KAFKA_BOOTSTRAP_SERVERS?");
  environment_ = {{"SKALD_SERVICE_HOST", "10.0.0.1"}, {"SKALD_POSTGRES_PID", "12"}};
  const auto config = load("");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->values.notes.size(), 2U);
}

TEST_F(Configuration, SaysWhatAKeyTakesAndWhatItGot) {
  EXPECT_EQ(refusal("topics: {create: yes}"),
            "SKALD-903 skald.yaml:1: topics.create cannot be \"yes\"; it takes true or false");
  EXPECT_EQ(
      refusal("topics: {partitions: 0}"),
      "SKALD-903 skald.yaml:1: topics.partitions cannot be \"0\"; it takes a whole number from 1 to 1000");
  EXPECT_EQ(refusal("sagas: {place-order: {deadline: 10}}"),
            "SKALD-903 skald.yaml:1: sagas.place-order.deadline cannot be \"10\"; it takes a duration like "
            "250ms, 10s, 2m, "
            "1h or 7d from 1ms to 365d");
  EXPECT_EQ(
      refusal("log: {level: verbose}"),
      "SKALD-903 skald.yaml:1: log.level cannot be \"verbose\"; it takes debug, info, warning or error");
  EXPECT_EQ(refusal("kafka: localhost"),
            "SKALD-902 skald.yaml:1: kafka is a section; it takes bootstrap_servers, group, instance_id, "
            "properties");
  EXPECT_EQ(refusal("http: {listen: {port: 8080}}"),
            "SKALD-903 skald.yaml:1: http.listen takes HOST:PORT, like 127.0.0.1:8080, not a section");
  EXPECT_EQ(
      refusal("namespace:"),
      "SKALD-903 skald.yaml:1: namespace is empty; it takes a name: 1 to 63 characters of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(refusal("postgres: {uri: localhost}"),
            "SKALD-903 skald.yaml:1: postgres.uri is no libpq URI; it takes one like "
            "postgresql://skald@127.0.0.1:5432/skald");
  environment_ = {{"SKALD_TOPICS_PARTITIONS", "many"}};
  EXPECT_THAT(refusal(""), HasSubstr("SKALD_TOPICS_PARTITIONS: topics.partitions cannot be \"many\""));
}

TEST_F(Configuration, RefusesBrokenYamlWithItsLine) {
  EXPECT_THAT(refusal("kafka:\n  - [\n"), HasSubstr("SKALD-901 skald.yaml:"));
  EXPECT_EQ(refusal("log: {level: info}\nlog: {format: text}\n"),
            "SKALD-901 skald.yaml:2: log is given twice in one section");
  EXPECT_THAT(refusal("- a"), HasSubstr("a configuration file is a YAML map"));
  EXPECT_THAT(refusal(std::string(2 << 20, ' ')), HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(refusal(std::string(100'000, '[')), HasSubstr("SKALD-901"));
  files_.clear();
  ConfigSources sources;
  sources.file = "none.yaml";
  sources.read_file = [](const std::string&) {
    return Error{ErrorKind::kInvalid, "", "No such file or directory"};
  };
  EXPECT_EQ(load_config(sources, registry_, {}).error().message,
            "configuration file none.yaml: No such file or directory");
}

TEST_F(Configuration, SubstitutesVariablesAndRefusesUnsetOnes) {
  environment_ = {{"BROKER", "kafka-1"}};
  const auto config = load("kafka: {bootstrap_servers: '${BROKER}:9092', group: 'a$${b}'}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->kafka.bootstrap_servers, "kafka-1:9092");
  EXPECT_EQ(config->kafka.group, "a${b}");
  EXPECT_EQ(refusal("kafka: {group: '${GROUP}'}"),
            "SKALD-904 skald.yaml:1: kafka.group uses ${GROUP}, and no such environment variable is set");
  EXPECT_THAT(refusal("kafka: {group: '${GROUP'}"), HasSubstr("has ${ without }"));
}

TEST_F(Configuration, ReadsSecretsFromFilesAndRefusesThemInPlainText) {
  files_["/run/secrets/pg"] = "s3cret\n";
  const auto config = load("postgres: {uri: 'postgresql://skald@db/skald', password_file: /run/secrets/pg}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->databases.front().postgres.password, "s3cret");
  EXPECT_EQ(config->databases.front().postgres.conninfo(), "postgresql://skald@db/skald?password=s3cret");
  EXPECT_THAT(refusal("postgres: {password: s3cret}"),
              AllOf(HasSubstr("SKALD-905"), HasSubstr("postgres.password_file"),
                    HasSubstr("SKALD_POSTGRES_PASSWORD"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(refusal("postgres: {uri: 'postgresql://skald:s3cret@db/skald'}"),
              AllOf(HasSubstr("SKALD-905"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(refusal("kafka: {properties: {sasl.password: s3cret}}"),
              AllOf(HasSubstr("kafka.properties.sasl.password_file"), Not(HasSubstr("s3cret"))));
  EXPECT_EQ(refusal("postgres: {password_file: /none}"),
            "SKALD-905 skald.yaml:1: postgres.password_file: /none: No such file or directory");
  files_["/empty"] = "\n";
  EXPECT_THAT(refusal("postgres: {password_file: /empty}"), HasSubstr("the file is empty"));
}

TEST_F(Configuration, TakesSecretsFromVariablesAndTheirFilesToo) {
  files_["/secret"] = "from-file";
  environment_ = {{"SKALD_POSTGRES_PASSWORD_FILE", "/secret"},
                  {"SKALD_KAFKA_PROPERTIES_SASL_PASSWORD_FILE", "/secret"}};
  const auto config = load("postgres: {uri: 'host=db'}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->databases.front().postgres.conninfo(), "host=db password='from-file'");
  EXPECT_EQ(config->kafka.properties.at("sasl.password"), "from-file");
  environment_["SKALD_POSTGRES_PASSWORD"] = "other";
  EXPECT_THAT(refusal(""), HasSubstr("postgres.password and postgres.password_file are both set"));
}

TEST_F(Configuration, ShowsEveryKeyWithItsOriginAndNoSecret) {
  files_["/secret"] = "s3cret";
  environment_ = {{"URI", "postgresql://skald:hunter2@db:5432/skald"},
                  {"SKALD_KAFKA_PROPERTIES_SASL_PASSWORD", "s3cret"}};
  const auto config = load("postgres:\n  uri: ${URI}\n  password_file: /secret\n");
  ASSERT_TRUE(config) << config.error().message;
  const std::string shown = describe(*config);
  EXPECT_THAT(shown, AllOf(HasSubstr("postgres.uri: postgresql://skald@db:5432/skald  # skald.yaml:2"),
                           HasSubstr("postgres.password: (hidden)  # skald.yaml:3 (file /secret)"),
                           HasSubstr("kafka.properties.sasl.password: (hidden)"),
                           HasSubstr("log.level: info  # default")));
  EXPECT_THAT(shown, AllOf(Not(HasSubstr("s3cret")), Not(HasSubstr("hunter2"))));
}

TEST_F(Configuration, RefusesWhatWouldBreakAPromise) {
  EXPECT_EQ(refusal("kafka: {properties: {acks: '1'}}"),
            "SKALD-907 skald.yaml:1: kafka.properties.acks cannot be overridden: a message that is not on "
            "all in-sync "
            "replicas can be lost");
  EXPECT_THAT(refusal("kafka:\n  properties:\n    enable:\n      auto.commit: 'true'\n"),
              HasSubstr("SKALD-907 skald.yaml:4: kafka.properties.enable.auto.commit"));
}

TEST_F(Configuration, RefusesToListenToStrangersWithoutAToken) {
  const Needs listens{.http = true};
  EXPECT_THAT(refusal("http: {listen: '0.0.0.0:8080'}", listens),
              HasSubstr("SKALD-907 skald.yaml:1: http.listen is reachable"));
  EXPECT_EQ(refusal("http: {listen: '0.0.0.0:8080', unprotected: true}", listens), "accepted");
  files_["/token"] = "abc";
  EXPECT_EQ(refusal("http: {listen: '0.0.0.0:8080', token_file: /token}", listens), "accepted");
  EXPECT_EQ(refusal("http: {listen: '0.0.0.0:8080'}"), "accepted") << "of a command that does not listen";
}

TEST_F(Configuration, ChecksThatStepsAndTriggersHaveTheirTopics) {
  const Needs wiring{.wiring = true};
  EXPECT_EQ(
      refusal("triggers: {order-placed: {topic: orders}}", wiring),
      "SKALD-908 command step ship-order has no topic: give its class one, or set steps.ship-order.topic");
  EXPECT_EQ(
      refusal("steps: {ship-order: {topic: shipping}}", wiring),
      "SKALD-908 trigger order-placed of saga place-order has no topic: set triggers.order-placed.topic");
  EXPECT_EQ(
      refusal(
          "steps: {ship-order: {topic: skald.default.replies}}\ntriggers: {order-placed: {topic: orders}}",
          wiring),
      "SKALD-908 step ship-order uses topic skald.default.replies, which is topics.replies; take another "
      "one");
  const auto config =
      load("steps: {ship-order: {topic: shipping}}\ntriggers: {order-placed: {topic: orders}}", wiring);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(
      config->needed_topics(),
      testing::ElementsAre("inventory.commands", "orders", "orders-dlt", "shipping",
                           "skald.default.lifecycle", "skald.default.replies", "skald.default.replies-dlt"));
  const auto created = config->topics_to_create();
  EXPECT_THAT(created, testing::IsSupersetOf(config->needed_topics()));
  EXPECT_THAT(created, testing::IsSupersetOf({"inventory.commands-dlt", "shipping-dlt"}));
}

TEST_F(Configuration, RefusesTopicAndSchemaNamesOutsideTheWhitelist) {
  EXPECT_THAT(refusal("topics: {replies: 'a b; drop table'}"), HasSubstr("it takes a topic"));
  EXPECT_THAT(refusal("topics: {replies: '..'}"), HasSubstr("it takes a topic"));
  EXPECT_THAT(refusal("topics: {replies: " + std::string(250, 'a') + "}"), HasSubstr("it takes a topic"));
  EXPECT_THAT(refusal("postgres: {schema: 'x\"; --'}"), HasSubstr("SKALD-903"));
  EXPECT_THAT(refusal("postgres: {schema: pg_catalog}"), HasSubstr("it takes a schema name"));
  EXPECT_THAT(refusal("namespace: \"a\\nb\""), HasSubstr("cannot be \"a\\x0ab\""));
}

TEST_F(Configuration, TakesATriggerByConfiguration) {
  const auto config = load(R"(
triggers:
  web-order:
    topic: shop.events
    saga: place-order
    id: ce:subject
    input: /data/order
    filter: /type = order.placed
)");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->triggers.size(), 2U);
  const TriggerConfig& trigger = config->triggers.back();
  EXPECT_FALSE(trigger.in_code);
  EXPECT_EQ(trigger.id.kind, Source::Kind::kAttribute);
  EXPECT_EQ(trigger.input.name, "/data/order");
  EXPECT_EQ(trigger.filter->value, "order.placed");
  EXPECT_THAT(refusal("triggers: {web: {topic: t, saga: place-oder}}"),
              HasSubstr("no saga named place-oder; did you mean place-order?"));
  EXPECT_THAT(refusal("triggers: {order-placed: {topic: t, id: key}}"),
              HasSubstr("is written in code and takes only a topic here"));
  EXPECT_THAT(refusal("triggers: {web: {topic: t, saga: place-order, id: subject}}"), HasSubstr("SKALD-903"));
}

TEST_F(Configuration, NamesWhatACommandNeedsAndIsMissing) {
  EXPECT_THAT(refusal("", {.database = true}), HasSubstr("SKALD-906 postgres.uri is not set"));
  EXPECT_THAT(refusal("", {.kafka = true}), HasSubstr("SKALD_KAFKA_BOOTSTRAP_SERVERS"));
  environment_ = {{"PGHOST", "/run"}};
  EXPECT_EQ(refusal("", {.database = true}), "accepted");
}

TEST_F(Configuration, RefusesIntervalsThatContradictEachOther) {
  EXPECT_EQ(refusal("steps: {ship-order: {start_to_close: 2h, schedule_to_close: 1h}}"),
            "SKALD-903 skald.yaml:1: steps.ship-order.start_to_close (2h) is longer than its "
            "schedule_to_close (1h)");
  EXPECT_THAT(refusal("steps: {ship-order: {retry: {initial_interval: 1h}}}"),
              HasSubstr("longer than its maximum_interval (1m)"));
}

TEST(ConfigurationReference, StandsInTheDocumentationAsInTheCode) {
  std::ifstream file(SKALD_SOURCE_DIR "/docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  const std::string begin = "<!-- reference: written by check-config --reference -->\n";
  const std::size_t from = document.find(begin), to = document.find("<!-- end of reference -->");
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(document.substr(from + begin.size(), to - from - begin.size()), configuration_reference());
}

TEST_F(Configuration, HasTheDefaultsOfTheRuntimeAsTheTableSays) {
  std::string yaml = "runtime:\n";
  for (const KeySchema& schema : config_schema())
    if (schema.key.starts_with("runtime.") && !schema.fallback.empty())
      yaml += "  " + std::string(schema.key.substr(8)) + ": " + std::string(schema.fallback) + "\n";
  const auto written = load(yaml);
  ASSERT_TRUE(written) << written.error().message;
  const runtime::Settings defaults;
  EXPECT_EQ(written->runtime.lanes, defaults.lanes);
  EXPECT_EQ(written->runtime.cache_bytes, defaults.cache_bytes);
  EXPECT_EQ(written->runtime.parked_saga_absent_after, defaults.parked_saga_absent_after);
  const auto plain = load("");
  ASSERT_TRUE(plain) << plain.error().message;
  const auto same = [&](auto... fields) {
    return ((written->runtime.*fields == plain->runtime.*fields) && ...);
  };
  using S = runtime::Settings;
  EXPECT_TRUE(same(&S::maximum_batch, &S::maximum_batch_bytes, &S::queue_high, &S::queue_low,
                   &S::queue_urgent_high, &S::queue_bytes_high, &S::outbox_high, &S::outbox_low,
                   &S::local_high, &S::maximum_poll));
  EXPECT_TRUE(same(&S::history_warning_transitions, &S::history_warning_bytes));
  EXPECT_TRUE(same(&S::outbox_bytes_high, &S::local_bytes_high, &S::open_records_high));
  EXPECT_TRUE(same(&S::poll_timeout, &S::save_positions_interval, &S::broker_timeout, &S::stopped_recheck,
                   &S::heartbeat_interval, &S::incarnation_lease, &S::claim_interval, &S::maximum_claim,
                   &S::claim_lease, &S::foreign_grace, &S::reply_wait, &S::parked_interval,
                   &S::parked_lease));
  EXPECT_TRUE(same(&S::parked_divergence_after, &S::adopt_interval, &S::gauges_interval,
                   &S::outbox_delete_after, &S::backoff_initial, &S::backoff_maximum, &S::doubt_period,
                   &S::doubt_interval, &S::local_threads, &S::shutdown_grace, &S::liveness_limit));
}

TEST_F(Configuration, LimitsALocalStepNumberByNumber) {
  StepDefinition charge = command_step("charge-card", "");
  charge.kind = StepKind::local;
  charge.options.limits = {.maximum_concurrent = 4, .breaker = {.failures = 5}};
  mentioned_.push_back(&charge);
  environment_["SKALD_STEPS_CHARGE_CARD_LIMITS_BREAKER_OPEN_FOR"] = "1m";
  const auto config =
      load("steps: {charge-card: {limits: {maximum_starts_per_second: 2.5, breaker: {attempts: 20}}}}");
  ASSERT_TRUE(config) << config.error().message;
  const StepLimits& limits = config->steps.at("charge-card").options.limits;
  EXPECT_EQ(limits.maximum_concurrent, 4);
  EXPECT_EQ(limits.maximum_starts_per_second, 2.5);
  EXPECT_EQ(limits.breaker.failures, 5);
  EXPECT_EQ(limits.breaker.attempts, 20);
  EXPECT_EQ(limits.breaker.open_for, std::chrono::minutes(1));
}

TEST_F(Configuration, RefusesLimitsThatCannotBe) {
  StepDefinition charge = command_step("charge-card", "");
  charge.kind = StepKind::local;
  mentioned_.push_back(&charge);
  const auto refused = [this](const std::string& limits) {
    return refusal("steps: {charge-card: {limits: " + limits + "}}");
  };
  EXPECT_EQ(refused("{breaker: {failures: 5, attempts: 3}}"),
            "SKALD-903 skald.yaml:1: steps.charge-card.limits.breaker.attempts (3) has to be at least "
            "breaker.failures (5)");
  EXPECT_THAT(refused("{maximum_starts_per_second: 0.0001}"),
              HasSubstr("steps.charge-card.limits.maximum_starts_per_second takes a number from 0.001"));
  EXPECT_THAT(refused("{maximum_concurrent: -1}"), HasSubstr("steps.charge-card.limits.maximum_concurrent"));
  EXPECT_THAT(refused("{breaker: {open_for: 0s}}"), HasSubstr("steps.charge-card.limits.breaker.open_for"));
  EXPECT_THAT(
      refusal("steps: {reserve-stock: {limits: {maximum_concurrent: 3}}}"),
      AllOf(HasSubstr("steps.reserve-stock.limits: reserve-stock is a command step"), HasSubstr("--limit")));
}

TEST_F(Configuration, RefusesRuntimeSettingsThatContradictEachOther) {
  EXPECT_EQ(refusal("runtime: {queue_low: 5000}"),
            "SKALD-903 skald.yaml:1: runtime.queue_low (5000) has to be less than runtime.queue_high (4000)");
  const std::string histories_first =
      "SKALD-903 skald.yaml:1: runtime.saga_retention needs runtime.history_retention, and may not be less: "
      "a "
      "saga's history goes first";
  EXPECT_EQ(refusal("runtime: {saga_retention: 30d}"), histories_first);
  EXPECT_EQ(refusal("runtime: {saga_retention: 30d, history_retention: 31d}"), histories_first);
  EXPECT_THAT(refusal("runtime: {incarnation_lease: 2s}"),
              HasSubstr("runtime.heartbeat_interval (3s) has to be less than"));
}

TEST(Durations, AreReadExactlyOrNotAtAll) {
  EXPECT_EQ(parse_duration("1h30m"), std::chrono::minutes(90));
  EXPECT_EQ(parse_duration("0s"), std::chrono::milliseconds(0));
  for (const char* wrong :
       {"", "10", "s", "1.5h", "-1s", "1m1h", "1s1s", "99999999999999999s", "1 s", "4000d"})
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  for (const char* same : {"250ms", "10s", "2m", "1h", "7d", "90s"})
    EXPECT_EQ(format_duration(parse_duration(same).value()), same);
}

TEST(Addresses, MayBeNamesAndBothKindsOfNumbers) {
  EXPECT_EQ(parse_address("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_address("db.local:5432")->port, 5432);
  for (const char* wrong : {"", "8080", ":80", "::1:80", "a:65536", "a:-1", "a:x", "a b:1"})
    EXPECT_FALSE(parse_address(wrong).has_value()) << wrong;
}

}  // namespace
}  // namespace skald::app
