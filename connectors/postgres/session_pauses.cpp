// What is paused: one row a pause, which stays as the record of who and why once it was ended.
#include "postgres/session.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

constexpr Statement kPauses{"pauses", R"(
SELECT kind, name, paused_by, paused_why, )" SKALD_SQL_MS("paused_at") R"(
FROM pause
WHERE namespace = $1 AND resumed_at IS NULL
ORDER BY kind, name)"};

constexpr Statement kPause{"pause", R"(
INSERT INTO pause (namespace, kind, name, paused_by, paused_why)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (namespace, kind, name) WHERE resumed_at IS NULL DO NOTHING)"};

constexpr Statement kResume{"resume", R"(
UPDATE pause SET resumed_at = clock_timestamp(), resumed_by = $4, resumed_why = $5
WHERE namespace = $1 AND kind = $2 AND name = $3 AND resumed_at IS NULL)"};

}  // namespace

Result<std::vector<Pause>> PostgresSession::pauses() {
  return connection_.run([&](Connection& connection) -> Result<std::vector<Pause>> {
    std::vector<Pause> all;
    for (const auto& row : connection.exec(kPauses, {options_->namespace_name})) {
      const bool step = text_of(row[0]) == to_string(PauseKind::step);
      all.push_back({step ? PauseKind::step : PauseKind::definition, text_of(row[1]), text_of(row[2]),
                     text_of(row[3]), time_of(row[4])});
    }
    return all;
  });
}

Result<bool> PostgresSession::pause(const Pause& pause) {
  return connection_.run([&](Connection& connection) -> Result<bool> {
    return connection
               .exec(kPause, {options_->namespace_name, std::string(to_string(pause.kind)), pause.name,
                              pause.who, pause.why})
               .affected_rows() == 1;
  });
}

Result<bool> PostgresSession::resume(PauseKind kind, const std::string& name, const std::string& who,
                                     const std::string& why) {
  return connection_.run([&](Connection& connection) -> Result<bool> {
    return connection.exec(kResume, {options_->namespace_name, std::string(to_string(kind)), name, who, why})
               .affected_rows() == 1;
  });
}

}  // namespace skald::postgres
