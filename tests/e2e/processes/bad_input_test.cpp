// The table of bad inputs on real topics, read by real processes: each is found on the dead-letter topic with its
// code, and the good message behind it on the same partition is done as if nothing had been there.
#include <gtest/gtest.h>

#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;
using contract::Listener;

constexpr std::string_view kCaseHeader = "x-case";
constexpr std::string_view kCodeHeader = "kafka_dlt-exception-fqcn";

std::string header(const Record& record, std::string_view name) {
  std::string found;
  for (const auto& header : record.headers)
    if (header.name == name) found = header.value;
  return found;
}

std::string order(const std::string& id, const std::string& cents = "100", const std::string& more = "") {
  return R"({"id":")" + id + R"(","customer":"ann","sku":"book","total_cents":)" + cents + more + "}";
}

/// What is wanted and was not found so, and what was found and is not wanted.
std::string difference(const std::map<std::string, std::string>& wanted,
                       const std::map<std::string, std::string>& found) {
  std::string text;
  for (const auto& [name, value] : wanted)
    if (!found.contains(name) || found.at(name) != value)
      text += name + ": wanted " + value + ", found " + (found.contains(name) ? found.at(name) : "nothing") +
              "\n";
  for (const auto& [name, value] : found)
    if (!wanted.contains(name)) text += name + ": found " + value + ", wanted nothing\n";
  return text;
}

struct Case {
  std::string name;
  std::string code;
  std::optional<std::string> value;
  std::vector<Header> headers = {};
  std::optional<std::string> key = "same-partition";
};

std::string nested(std::size_t levels) {
  return order("deep", "1", R"(,"more":)" + std::string(levels, '[') + std::string(levels, ']'));
}

std::vector<Case> bad_texts() {
  return {{"nesting 65", "SKALD-102", nested(64)},
          {"nesting 100,000", "SKALD-102", nested(100'000)},
          {"a message of [", "SKALD-102", std::string(1'000'000, '[')},
          {"invalid UTF-8", "SKALD-101", order("\xff")},
          {"overlong form", "SKALD-101", order("\xc0\xaf")},
          {"lone surrogate", "SKALD-101", order(R"(\ud800)")},
          {"byte order mark", "SKALD-101", "\xef\xbb\xbf" + order("bom")},
          {"U+0000 in a string", "SKALD-101", order(R"(a\u0000b)")},
          {"U+0000 in a name", "SKALD-101", order("zero", "1", R"(,"\u0000":1)")},
          {"nothing", "SKALD-101", ""},
          {"blanks", "SKALD-101", " \n\t "},
          {"null", "SKALD-103", "null"},
          {"a scalar", "SKALD-103", "42"},
          {"bytes behind", "SKALD-101", order("behind") + "x"},
          {"cut off", "SKALD-101", order("cut").substr(0, 30)},
          {"a name twice", "SKALD-101", order("twice", "1", R"(,"id":"other")")},
          {"tombstone", "SKALD-405", std::nullopt}};
}

std::vector<Case> bad_values() {
  std::string names;
  for (int number = 0; number < 100'001; ++number) names += ",\"" + std::to_string(number) + "\":0";
  return {{"too many names", "SKALD-102", order("names", "1", names)},
          {"2^64", "SKALD-103", order("big", "18446744073709551616")},
          {"1e400", "SKALD-101", order("huge", "1e400")},
          {"NaN", "SKALD-101", order("nan", "NaN")},
          {"400 digits", "SKALD-102", order("digits", std::string(400, '9'))},
          {"a fraction of a cent", "SKALD-103", order("fraction", "12.5")},
          {"money as text", "SKALD-103", order("text", R"("100")")},
          {"a field missing", "SKALD-103", R"({"id":"missing","customer":"ann","sku":"book"})"},
          {"an empty id", "SKALD-403", order("")},
          {"an id of 300 bytes", "SKALD-403", order(std::string(300, 'i'))},
          {"an id with a line break", "SKALD-403", order(R"(a\nb)")},
          {"an id written right to left", "SKALD-403", order(R"(a\u202eb)")},
          {"an id of composed letters", "SKALD-403", order("caf\xc3\xa9")},
          {"an id of separate accents", "SKALD-403", order("cafe\xcc\x81")},
          {"10,000 headers", "SKALD-301", order("headers"), std::vector<Header>(10'000, Header{"h", "v"})},
          {"a header of 500 kB", "SKALD-301", order("header"), {{"h", std::string(500'000, 'h')}}},
          {"data_base64",
           "SKALD-304",
           R"({"specversion":"1.0","id":"e","type":"t","source":"/s","data_base64":"AA=="})",
           {{"content-type", "application/cloudevents+json"}}},
          {"an envelope as the order", "SKALD-103",
           R"({"specversion":"1.0","id":"e","type":"t","source":"/s","data":)" + order("inside") + "}"}};
}

/// What looks odd and is an order all the same.
std::map<std::string, Case> odd_orders() {
  const std::string name(900'000, 'n');
  return {{"name", {"a name of 900 kB", "", order("name", "1", ",\"" + name + "\":1")}},
          {"exact", {"2^53 + 1", "", order("exact", "9007199254740993")}},
          {"extra", {"a field nobody knows", "", order("extra", "1", R"(,"__proto__":{"a":[null]})")}},
          {"'; DROP TABLE saga; --", {"an id with blanks", "", std::nullopt}},
          {"../../etc/passwd", {"a path", "", order("../../etc/passwd")}},
          {"q'--\\\"/*", {"quotes", "", order(R"(q'--\\\"/*)")}},
          {"keyless", {"no key", "", order("keyless"), {}, std::nullopt}},
          {"binary", {"binary headers", "", order("binary"), {{"b", std::string("\0\xff", 2)}, {"b", "2"}}}}};
}

class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    world_.prepare();
    orchestrator_ = world_.start_orchestrator();
    kafka::Options options;
    options.bootstrap_servers = world_.cluster().kafka;
    options = contract::for_tests(options);
    bus_ = kafka::open(options).value();
    options.properties = {{"compression.codec", "gzip"}, {"message.max.bytes", "9000000"}};
    large_bus_ = kafka::open(options).value();
    producer_ = bus_->producer().value();
  }

  void send(const std::string& topic, const Case& one, const std::string& behind) {
    Message message;
    message.topic = topic;
    message.key = one.key;
    message.value = one.value;
    message.headers = one.headers;
    message.headers.insert(message.headers.begin(), Header{std::string(kCaseHeader), one.name});
    const auto large = large_bus_->producer().value();
    contract::publish_all(one.value.value_or("").size() > 900'000 ? *large : *producer_, {message});
    if (!behind.empty())
      contract::publish_all(*producer_,
                            {contract::message(world_.topic("orders"), "same-partition", order(behind))});
  }

  std::vector<Record> wait_for(const std::string& topic, std::size_t count) {
    const auto reader = bus_->consumer({{topic}, "", true}, listener_).value();
    return contract::read(*reader, count, 60s);
  }

  std::map<std::string, std::string> codes_on(const std::string& topic, std::size_t count) {
    std::map<std::string, std::string> codes;
    for (const auto& record : wait_for(topic, count)) {
      EXPECT_NE(header(record, "kafka_dlt-exception-message"), "");
      codes[header(record, kCaseHeader)] = header(record, kCodeHeader);
    }
    return codes;
  }

  /// Ends of sagas by id, once there are so many.
  std::map<std::string, std::string> outcomes(std::size_t count) {
    std::map<std::string, std::string> found;
    for (const auto& record : wait_for(world_.lifecycle_topic(), count))
      found[record.key.value_or("")] = header(record, "ce_type");
    return found;
  }

  World world_{World::given()};
  Orchestrator orchestrator_;
  Listener listener_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Bus> large_bus_;
  std::unique_ptr<Producer> producer_;
};

TEST_F(BadInput, OnATriggerTopicIsADeadLetterAndDelaysNobody) {
  std::map<std::string, std::string> expected;
  std::map<std::string, std::string> done;
  auto cases = bad_texts();
  for (auto& one : bad_values()) cases.push_back(std::move(one));
  cases.push_back({"a compressed bomb", "SKALD-301", std::string(8'000'000, ' ')});
  for (const auto& one : cases) {
    const auto behind = "behind-" + std::to_string(expected.size());
    send(world_.topic("orders"), one, behind);
    expected[one.name] = one.code;
    done[behind] = "saga.completed";
  }
  for (auto [id, one] : odd_orders()) {
    if (!one.value) one.value = order(id);
    send(world_.topic("orders"), one, "");
    if (id.find(' ') != std::string::npos)
      expected[one.name] = "SKALD-403";
    else
      done[id] = "saga.completed";
  }
  EXPECT_EQ(difference(expected, codes_on(world_.topic("orders") + "-dlt", expected.size())), "")
      << world_.logs();
  EXPECT_EQ(difference(done, outcomes(done.size())), "");
  EXPECT_TRUE(orchestrator_.process->is_running());
}

TEST_F(BadInput, OnTheReplyTopicIsADeadLetterAndMovesNoSaga) {
  // Its parcel is sent and not reported: it waits, and is rolled back when that takes too long.
  send(world_.topic("orders"),
       {"", "", R"({"id":"victim","customer":"silent-ann","sku":"book","total_cents":9})"}, "");
  const auto replies = wait_for(world_.replies_topic(), 2);
  ASSERT_EQ(replies.size(), 2U);
  auto headers = replies.front().headers;
  const auto with = [&headers](const std::string& name, const std::string& value) {
    auto changed = headers;
    changed.push_back({name, value});  // given twice, the last one counts
    return changed;
  };
  const auto& value = replies.front().value;
  const std::string command = header(replies.front(), "ce_causationid");
  std::string never = command;
  never.replace(never.rfind('/') + 1, std::string::npos, "77");
  const std::vector<Case> cases{
      {"no headers", "SKALD-302", value},
      {"no JSON", "SKALD-303", "}{", headers},
      {"a failure without a code", "SKALD-303", "{}", with("ce_type", "reserve-stock.failed")},
      {"another type", "SKALD-302", value, with("ce_type", "reserve-stock")},
      {"another saga", "SKALD-402", value, with("ce_correlationid", "behind-1")},
      {"another namespace", "SKALD-401", value, with("ce_causationid", "elsewhere/" + command)},
      {"another step", "SKALD-409", value, with("ce_type", "charge-card.succeeded")},
      {"an attempt never made", "SKALD-408", value, with("ce_causationid", never)},
      {"tombstone", "SKALD-303", std::nullopt, headers}};
  std::map<std::string, std::string> expected;
  for (const auto& one : cases) {
    send(world_.replies_topic(), one, "");
    expected[one.name] = one.code;
  }
  send(world_.replies_topic(), {"replayed", "", value, headers}, "");
  EXPECT_EQ(difference(expected, codes_on(world_.replies_topic() + "-dlt", expected.size())), "")
      << world_.logs();
  send(world_.topic("orders"), {"", "", order("afterwards")}, "");
  EXPECT_EQ(difference({{"victim", "saga.compensated"}, {"afterwards", "saga.completed"}}, outcomes(2)), "");
}

TEST_F(BadInput, OnACommandTopicIsADeadLetterOfTheParticipant) {
  send(world_.topic("orders"), {"", "", order("first")}, "");
  EXPECT_EQ(outcomes(1).at("first"), "saga.completed");
  const auto commands = wait_for(world_.topic("inventory"), 1);
  ASSERT_EQ(commands.size(), 1U);
  const auto& headers = commands.front().headers;
  const auto with = [&headers](const std::string& name, const std::string& value) {
    auto changed = headers;
    changed.push_back({name, value});
    return changed;
  };
  const auto& value = commands.front().value;
  const std::vector<Case> cases{{"no headers", "SKALD-302", value},
                                {"nested", "SKALD-303", std::string(200'000, '['), headers},
                                {"no time", "SKALD-302", value, with("ce_expirytime", "-1")},
                                {"another phase", "SKALD-302", value, with("ce_sagaphase", "both")},
                                {"attempt 0", "SKALD-302", value, with("ce_sagaattempt", "0")},
                                {"a reply topic of two", "SKALD-302", value, with("ce_sagareplyto", "a,b")}};
  std::map<std::string, std::string> expected;
  for (const auto& one : cases) {
    send(world_.topic("inventory"), one, "");
    expected[one.name] = one.code;
  }
  EXPECT_EQ(difference(expected, codes_on(world_.topic("inventory") + "-dlt", expected.size())), "")
      << world_.logs();
  send(world_.topic("orders"), {"", "", order("second")}, "");
  EXPECT_EQ(outcomes(2).at("second"), "saga.completed") << world_.logs();
}

}  // namespace
}  // namespace skald::e2e
