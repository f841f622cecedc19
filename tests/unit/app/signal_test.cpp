// Signals by configuration: what is refused at start by name, and what a record becomes.
#include "app/signals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config.hpp"
#include "skald/skald.hpp"

namespace skald::app {
namespace {

using testing::HasSubstr;

struct Vote {
  std::string by;
};
SKALD_FIELDS(Vote, by)

struct Elect : Saga<Vote, Vote> {
  static constexpr std::string_view name = "elect";
  static constexpr std::array signals{signal<Vote>("vote"), signal<Vote>("veto")};
  Task<Vote> run(Context& saga, Vote) override { co_return co_await saga.signal<Vote>("vote"); }
};

class ConfiguredSignals : public testing::Test {
 protected:
  ConfiguredSignals() { registry_.add_saga<Elect>(); }
  Result<Config> load(const std::string& yaml) {
    ConfigSources sources;
    sources.file = "skald.yaml";
    sources.read_file = [yaml](const std::string&) -> Result<std::string> { return yaml; };
    sources.names = names_of(registry_, {});
    return load_config(sources, registry_, {}, {});
  }
  std::string refusal(const std::string& yaml) {
    const auto config = load(yaml);
    return config ? "taken" : config.error().code + " " + config.error().message;
  }
  Result<std::optional<runtime::AddressedSignal>> read(const std::string& options, const Record& record) {
    const auto config = load("signals:\n  vote: {topic: ballots, saga: elect, " + options + "}\n");
    EXPECT_TRUE(config) << config.error().message;
    return configured_signal(config->signals.at(0)).read(record);
  }
  static Record record(const std::string& value, std::vector<Header> headers = {}) {
    return {"ballots", 3, 17, Time{}, "b-1", value, std::move(headers)};
  }

  Registry registry_;
};

TEST_F(ConfiguredSignals, AreRefusedByNameAtTheStart) {
  EXPECT_THAT(refusal("signals:\n  vote: {saga: elect}\n"), HasSubstr("signals.vote.topic is not set"));
  EXPECT_THAT(refusal("signals:\n  vote: {topic: t}\n"), HasSubstr("signals.vote.saga is not set"));
  EXPECT_THAT(refusal("signals:\n  vote: {topic: t, saga: elekt}\n"), HasSubstr("no saga named elekt"));
  EXPECT_EQ(
      refusal("signals:\n  vot: {topic: t, saga: elect}\n"),
      "SKALD-902 skald.yaml:2: signals.vot.name: saga elect takes no signal named vot; it takes vote, veto");
  EXPECT_THAT(refusal("signals:\n  vote: {topic: t, saga: elect, id: value}\n"),
              HasSubstr("cannot be the whole value"));
  EXPECT_EQ(refusal("signals:\n  vote: {topic: t, saga: elect}\n"), "taken");
}

TEST_F(ConfiguredSignals, OfOneTopicExcludeEachOther) {
  const std::string both =
      "signals:\n  vote: {topic: t, saga: elect, filter: /type = vote}\n"
      "  veto: {topic: t, saga: elect";
  EXPECT_THAT(refusal(both + "}\n"),
              HasSubstr("signals.veto and signals.vote both read topic t for saga elect"));
  EXPECT_THAT(refusal(both + ", filter: /kind = veto}\n"), HasSubstr("give each a filter"));
  EXPECT_EQ(refusal(both + ", filter: /type = veto}\n"), "taken");
}

TEST_F(ConfiguredSignals, TakeIdAndValueFromWhereTheyAreTold) {
  const auto read_one = read("id: /ballot, data: /vote, message_id: /number",
                             record(R"({"ballot":"b-7","vote":{"by":"ann"},"number":12})"));
  ASSERT_TRUE(read_one) << read_one.error().message;
  EXPECT_EQ((*read_one)->address, (SagaAddress{"elect", "b-7"}));
  EXPECT_EQ((*read_one)->input.name, "vote");
  EXPECT_EQ((*read_one)->input.id, "12");
  EXPECT_EQ((*read_one)->input.source, "ballots");
  EXPECT_EQ((*read_one)->input.data, R"({"by":"ann"})");
}

TEST_F(ConfiguredSignals, AreToldApartByTheEventOrByTheRecordsPlace) {
  const auto plain = read("id: key", record(R"({"by":"ann"})"));
  EXPECT_EQ((*plain)->input.id, "3@17");
  const auto event = read("id: key", record(R"({"by":"ann"})", {{"ce_id", "e-1"}, {"ce_source", "/votes"}}));
  EXPECT_EQ((*event)->input.id, "e-1");
  EXPECT_EQ((*event)->input.source, "/votes");
}

TEST_F(ConfiguredSignals, SayWhatARecordLacks) {
  EXPECT_EQ(read("id: /ballot", record("{}")).error().message, "signal vote finds no saga id in /ballot");
  EXPECT_EQ(read("id: key, data: /vote", record("{}")).error().message,
            "signal vote finds no value in /vote");
  EXPECT_EQ(read("id: key, message_id: /n", record("{}")).error().message,
            "signal vote finds no message id in /n");
  EXPECT_EQ(read("id: key", record("no JSON")).error().code, "SKALD-101");
  EXPECT_FALSE(read("id: key, filter: /type = vote", record(R"({"type":"count"})")).value());
}

TEST_F(ConfiguredSignals, MakeTheSignalTopicNeeded) {
  const auto config = load("namespace: shop\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->topics.signals, "skald.shop.signals");
  EXPECT_THAT(config->needed_topics(),
              testing::IsSupersetOf({"skald.shop.signals", "skald.shop.signals-dlt"}));
  Registry none;
  EXPECT_EQ(load_config({}, none, {}, {})->topics.signals, "");
}

}  // namespace
}  // namespace skald::app
