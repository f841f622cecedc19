// The migrator: whatever state it finds, running it ends in the schema this binary needs, and what does not fit is
// refused with what to do.
#include "postgres/migrator.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "test_database.hpp"

namespace skald::postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MigratorTest : public testing::Test {
 protected:
  std::string refusal(int binary_version) {
    const auto checked = migrator_.check(binary_version);
    if (checked) return "";
    EXPECT_EQ(checked.error().kind, ErrorKind::kRefused);
    return checked.error().message;
  }

  TestDatabase database_{TestDatabase::Content::kNothing};
  Migrator migrator_{TestDatabase::uri(), database_.schema()};
};

TEST_F(MigratorTest, AnEmptyDatabaseGetsTheSchema) {
  const auto report = migrator_.migrate();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->from, 0);
  EXPECT_EQ(report->to, Migrator::binary_version());
  EXPECT_EQ(report->applied.size(), static_cast<std::size_t>(Migrator::binary_version()));
  EXPECT_EQ(refusal(Migrator::binary_version()), "");
}

TEST_F(MigratorTest, RunningItAgainChangesNothing) {
  ASSERT_TRUE(migrator_.migrate());
  database_.sql("INSERT INTO definition (namespace, name) VALUES ('test', 'kept')");
  const auto report = migrator_.migrate();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->applied, IsEmpty());
  EXPECT_EQ(report->from, Migrator::binary_version());
  EXPECT_EQ(database_.sql("SELECT name FROM definition"), "kept");
}

TEST_F(MigratorTest, TwoAtOnceConverge) {
  std::vector<std::thread> threads;
  std::vector<std::size_t> applied(4, 0);
  for (std::size_t& count : applied) {
    threads.emplace_back([&] {
      const auto report = Migrator{TestDatabase::uri(), database_.schema()}.migrate();
      ASSERT_TRUE(report) << report.error().message;
      count = report->applied.size();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(applied[0] + applied[1] + applied[2] + applied[3],
            static_cast<std::size_t>(Migrator::binary_version()));
  EXPECT_EQ(refusal(Migrator::binary_version()), "");
}

TEST_F(MigratorTest, AnInterruptedMigrationLeavesNothingAndIsRunAgain) {
  // A table of ours is in the way: the migration fails in its middle.
  database_.sql("CREATE SCHEMA " + database_.schema());
  database_.sql("CREATE TABLE history (saga_key int)");
  EXPECT_FALSE(migrator_.migrate());
  EXPECT_EQ(database_.sql("SELECT count(*) FROM pg_tables WHERE schemaname = '" + database_.schema() + "'"),
            "1");
  database_.sql("DROP TABLE history");
  EXPECT_TRUE(migrator_.migrate());
  EXPECT_EQ(refusal(Migrator::binary_version()), "");
}

TEST_F(MigratorTest, ASchemaThatIsNotThereIsNamedWithTheRemedy) {
  EXPECT_THAT(refusal(1), HasSubstr(database_.schema()));
  EXPECT_THAT(refusal(1), HasSubstr("run `migrate`"));
}

TEST_F(MigratorTest, ABinaryNewerThanTheSchemaIsRefused) {
  ASSERT_TRUE(migrator_.migrate());
  EXPECT_THAT(refusal(Migrator::binary_version() + 1), HasSubstr("run `migrate`"));
}

TEST_F(MigratorTest, ABinaryTheSchemaStillServesIsNotRefused) {
  ASSERT_TRUE(migrator_.migrate());
  database_.sql(
      "INSERT INTO schema_version (version, description, checksum, oldest_binary) VALUES (90, 'x', 'x', 1)");
  EXPECT_EQ(refusal(Migrator::binary_version()), "");
  const auto report = migrator_.migrate();
  ASSERT_TRUE(report) << "a newer schema is left as it is";
  EXPECT_EQ(report->to, 90);
}

TEST_F(MigratorTest, ABinaryTheSchemaServesNoLongerIsRefused) {
  ASSERT_TRUE(migrator_.migrate());
  database_.sql(
      "INSERT INTO schema_version (version, description, checksum, oldest_binary) VALUES (90, 'x', 'x', 80)");
  EXPECT_THAT(refusal(Migrator::binary_version()), HasSubstr("serves binaries from V80 on"));
  const auto opened = PostgresStore{database_.options()}.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kRefused);
}

TEST_F(MigratorTest, AMigrationEditedAfterItWasAppliedIsRefused) {
  ASSERT_TRUE(migrator_.migrate());
  database_.sql("UPDATE schema_version SET checksum = 'other'");
  const auto report = migrator_.migrate();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(report.error().message, HasSubstr("V1"));
}

TEST_F(MigratorTest, AnUnusualSchemaNameIsJustAName) {
  const std::string name = database_.schema() + " \"Odd\" '; --";
  Migrator odd{TestDatabase::uri(), name};
  ASSERT_TRUE(odd.migrate());
  EXPECT_TRUE(odd.check(Migrator::binary_version()));
  database_.sql("DROP SCHEMA \"" + database_.schema() + " \"\"Odd\"\" '; --\" CASCADE");
}

TEST_F(MigratorTest, ServingNeedsNoRightToChangeTheSchema) {
  ASSERT_TRUE(migrator_.migrate());
  const std::string role = database_.schema() + "_serve";
  database_.sql("CREATE ROLE " + role + " LOGIN PASSWORD 'secret'");
  database_.sql("GRANT USAGE ON SCHEMA " + database_.schema() + " TO " + role);
  database_.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + database_.schema() +
                " TO " + role);
  {
    StoreOptions options = database_.options();
    const std::size_t host = options.uri.find('@');
    ASSERT_NE(host, std::string::npos);
    options.uri = "postgresql://" + role + ":secret" + options.uri.substr(host);
    auto session = PostgresStore{options}.open();
    ASSERT_TRUE(session) << session.error().message;
    Batch batch;
    SagaWrite write;
    write.key = 1;
    write.sequence = 1;
    write.wake_at = kNever;
    write.history = {{1, "[]"}};
    write.address = {"PlaceOrder", "order-1"};
    batch.writes = {write};
    EXPECT_TRUE((*session)->commit(batch));
    EXPECT_TRUE((*session)->register_incarnation("host", "build"));
    EXPECT_TRUE((*session)->claim_due({}));
    EXPECT_TRUE((*session)->gauges());
  }
  database_.sql("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

}  // namespace
}  // namespace skald::postgres
