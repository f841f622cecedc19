// Every exception of libpqxx has one meaning, and what nobody foresaw waits instead of becoming a dead letter.
#include "postgres/errors.hpp"

#include <gtest/gtest.h>

#include "postgres/pqxx_shim.hpp"

namespace skald::postgres {
namespace {

template <class Thrown>
ErrorKind kind(const Thrown& thrown, Stage stage = Stage::kWorking) {
  return translate(std::make_exception_ptr(thrown), stage).kind;
}

ErrorKind state(const char* sqlstate, Stage stage = Stage::kWorking) {
  return kind(pqxx::sql_error{"ERROR: it failed", "SELECT 1", sqlstate}, stage);
}

/// libpqxx 7 wants the query as well.
template <class Exception>
Exception thrown() {
  if constexpr (std::is_constructible_v<Exception, const char*>)
    return Exception{"it failed"};
  else
    return Exception{"it failed", "COMMIT"};
}

TEST(PostgresErrors, DataThatIsWrongStaysWrong) {
  for (const char* sqlstate : {"22021", "22003", "22008", "23502", "23514", "21000", "54000"})
    EXPECT_EQ(state(sqlstate), ErrorKind::kInvalid) << sqlstate;
  EXPECT_EQ(kind(pqxx::unique_violation{"taken", "INSERT", "23505"}), ErrorKind::kInvalid);
  EXPECT_EQ(kind(pqxx::data_exception{"bad", "INSERT", "22000"}), ErrorKind::kInvalid);
}

TEST(PostgresErrors, WhatPassesIsTriedAgain) {
  for (const char* sqlstate : {"55P03", "57014", "0A000", "26000"})
    EXPECT_EQ(state(sqlstate), ErrorKind::kRetry) << sqlstate;
  EXPECT_EQ(kind(thrown<pqxx::deadlock_detected>()), ErrorKind::kRetry);
  EXPECT_EQ(kind(thrown<pqxx::serialization_failure>()), ErrorKind::kRetry);
}

TEST(PostgresErrors, WhatIsAwayIsWaitedFor) {
  for (const char* sqlstate :
       {"25006", "25P03", "53100", "53200", "53300", "57P01", "57P03", "58030", "XX000", "99999"})
    EXPECT_EQ(state(sqlstate), ErrorKind::kUnavailable) << sqlstate;
  EXPECT_EQ(kind(pqxx::broken_connection{"gone"}), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(pqxx::too_many_connections{"full"}), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(pqxx::disk_full{"full", "INSERT", "53100"}), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(std::bad_alloc{}), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(std::runtime_error{"nobody foresaw it"}), ErrorKind::kUnavailable);
}

TEST(PostgresErrors, WhoIsNotLetInIsRefused) {
  for (const char* sqlstate : {"28P01", "3D000", "3F000", "42501", "42P01"})
    EXPECT_EQ(state(sqlstate), ErrorKind::kRefused) << sqlstate;
  for (const char* text :
       {"FATAL:  password authentication failed for user \"a\"", "FATAL:  database \"a\" does not exist",
        "FATAL:  no pg_hba.conf entry for host \"a\""})
    EXPECT_EQ(kind(pqxx::broken_connection{text}, Stage::kConnecting), ErrorKind::kRefused) << text;
  EXPECT_EQ(kind(pqxx::broken_connection{"Connection refused"}, Stage::kConnecting), ErrorKind::kUnavailable);
}

TEST(PostgresErrors, OnlyWhatTheServerDeniesIsKnownAfterCommitWasSent) {
  EXPECT_EQ(kind(pqxx::in_doubt_error{"lost"}, Stage::kCommitting), ErrorKind::kUnknown);
  EXPECT_EQ(kind(pqxx::broken_connection{"lost"}, Stage::kCommitting), ErrorKind::kUnknown);
  EXPECT_EQ(kind(thrown<pqxx::statement_completion_unknown>(), Stage::kCommitting), ErrorKind::kUnknown);
  EXPECT_EQ(state("57P01", Stage::kCommitting), ErrorKind::kUnknown);
  EXPECT_EQ(state("XX000", Stage::kCommitting), ErrorKind::kUnknown);
  EXPECT_EQ(state("23505", Stage::kCommitting), ErrorKind::kInvalid);
  EXPECT_EQ(state("53100", Stage::kCommitting), ErrorKind::kUnavailable);
}

TEST(PostgresErrors, AMessageIsOneLineWithItsCode) {
  const Error error = translate(
      std::make_exception_ptr(pqxx::sql_error{"ERROR: no\nDETAIL: customer data", "SELECT 1", "42501"}),
      Stage::kWorking);
  EXPECT_EQ(error.message, "PostgreSQL: ERROR: no (SQLSTATE 42501)");
  EXPECT_EQ(error.code, "SKALD-335");
}

}  // namespace
}  // namespace skald::postgres
