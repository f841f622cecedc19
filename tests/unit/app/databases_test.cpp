// Several databases in the configuration: what divides the slots is taken, anything else is told in one line.
#include <gmock/gmock.h>

#include "app/config.hpp"

namespace skald::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Result<Config> load(const std::string& yaml, std::map<std::string, std::string> environment = {}) {
  static const Registry registry;
  ConfigSources sources;
  sources.file = "skald.yaml";
  sources.environment = std::move(environment);
  sources.read_file = [yaml](const std::string& path) -> Result<std::string> {
    if (path == "skald.yaml") return yaml;
    return path == "/secret" ? Result<std::string>("s3cret") : Error{ErrorKind::kInvalid, "", "no such file"};
  };
  return load_config(sources, registry, {.database = true}, {});
}

std::string refusal(const std::string& yaml) {
  const auto config = load(yaml);
  return config ? "" : config.error().code + " " + config.error().message;
}

constexpr const char* kTwo = R"(
namespace: shop
databases:
  first: {uri: 'postgresql://skald@db-1/skald', slots: 0-511, password_file: /secret}
  second: {uri: 'postgresql://skald@db-2/skald', slots: 512-1023, schema: other, replies: my.replies}
)";

TEST(Databases, TheOnlyOneHasEverySlotAndTheTopicOfTheNamespace) {
  const auto config = load("{namespace: shop, postgres: {uri: 'host=db'}}");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->databases.size(), 1U);
  const DatabaseConfig& only = config->databases.front();
  EXPECT_EQ(only.name, "");
  EXPECT_TRUE(only.slots.full());
  EXPECT_EQ(only.replies, "skald.shop.replies");
  EXPECT_EQ(only.group, "skald-shop");
}

TEST(Databases, SeveralDivideTheSlotsAndHaveTopicsAndGroupsOfTheirOwn) {
  const auto config = load(kTwo);
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->databases.size(), 2U);
  const DatabaseConfig& first = config->databases[0];
  const DatabaseConfig& second = config->databases[1];
  EXPECT_EQ(first.postgres.conninfo(), "postgresql://skald@db-1/skald?password=s3cret");
  EXPECT_EQ(first.postgres.schema, "skald");
  EXPECT_EQ(first.replies, "skald.shop.replies.first");
  EXPECT_EQ(first.group, "skald-shop-first");
  EXPECT_EQ(second.postgres.schema, "other");
  EXPECT_EQ(second.replies, "my.replies");
  EXPECT_EQ(second.slots.text(), "512-1023");
  for (const std::string id : {"a", "b", "order-17", "order-18"})
    EXPECT_EQ(config->database_of(id).name, wire::slot_of(id) < 512 ? "first" : "second") << id;
  EXPECT_THAT(config->needed_topics(),
              testing::IsSupersetOf({"skald.shop.replies.first", "my.replies", "skald.shop.replies.first-dlt",
                                     "my.replies-dlt"}));
}

TEST(Databases, AVariableOverridesWhatTheFileNames) {
  const auto config = load(kTwo, {{"SKALD_DATABASES_SECOND_URI", "host=elsewhere"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->databases[1].postgres.uri, "host=elsewhere");
}

TEST(Databases, EverySlotBelongsToOneOfThem) {
  EXPECT_THAT(refusal("databases: {a: {uri: host=a, slots: 0-511}}"),
              AllOf(HasSubstr("SKALD-903"), HasSubstr("no database has the slots 512-1023")));
  EXPECT_THAT(refusal("databases: {a: {uri: host=a, slots: 0-600}, b: {uri: host=b, slots: 512-1023}}"),
              AllOf(HasSubstr("databases.b.slots"), HasSubstr("512-600")));
  EXPECT_THAT(refusal("databases: {a: {uri: host=a, slots: 0-2000}}"),
              AllOf(HasSubstr("databases.a.slots"), HasSubstr("slots from 0 to 1023, like 0-511")));
  EXPECT_EQ(refusal("databases: {a: {uri: host=a, slots: 0-1023}, b: {uri: host=b, slots: none}}"), "");
}

TEST(Databases, WhatIsMissingOrTwiceIsNamed) {
  EXPECT_THAT(refusal("databases: {a: {slots: 0-1023}}"), HasSubstr("databases.a.uri is not set"));
  EXPECT_THAT(refusal("databases: {a: {uri: host=a}}"), HasSubstr("databases.a.slots is not set"));
  EXPECT_THAT(refusal("postgres: {uri: host=x}\ndatabases: {a: {uri: host=a, slots: 0-1023}}"),
              AllOf(HasSubstr("skald.yaml:1"), HasSubstr("postgres.uri is for a single database")));
  EXPECT_THAT(
      refusal("databases: {a: {uri: host=a, slots: 0-511, replies: r}, b: {uri: host=b, slots: 512-1023, "
              "replies: r}}"),
      HasSubstr("r is that of database a already"));
  EXPECT_THAT(refusal("databases: {a: {uri: 'postgresql://s:s3cret@db/skald', slots: 0-1023}}"),
              AllOf(HasSubstr("databases.a.password_file"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(refusal("databases: {a: {uri: nonsense, slots: 0-1023}}"),
              AllOf(HasSubstr("databases.a.uri"), HasSubstr("no libpq URI")));
}

}  // namespace
}  // namespace skald::app
