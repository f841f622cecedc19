// First the keys, then the sagas of so many keys at a time, all as they stood when the first statement ran.
#include "postgres/saga_reader.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "postgres/migrator.hpp"
#include "postgres/session.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

constexpr Statement kSnapshot{"reader_snapshot",
                              "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"};

// $1 namespace, $2 definition or '', $3 saga id or '', $4 status or -1, $5 maximum. History sizes are known without
// reading long values.
#define SKALD_SQL_READER_REST                                                            \
  " AS s JOIN definition d ON d.definition_id = s.definition_id "                        \
  "WHERE d.namespace = $1 AND ($2 = '' OR d.name = $2) AND ($3 = '' OR s.saga_id = $3) " \
  "AND ($4::smallint = -1 OR s.status = $4::smallint) ORDER BY s.saga_key DESC LIMIT $5::bigint"
constexpr Statement kOpenKeys{
    "reader_open",
    "SELECT s.saga_key FROM (SELECT * FROM saga WHERE wake_at IS NOT NULL OFFSET 0)" SKALD_SQL_READER_REST};
constexpr Statement kAllKeys{"reader_all", "SELECT s.saga_key FROM saga" SKALD_SQL_READER_REST};

constexpr Statement kRows{"reader_rows", R"(
SELECT )" SKALD_SQL_SAGA_COLUMNS R"(
FROM saga s JOIN definition d ON d.definition_id = s.definition_id
WHERE s.saga_key = ANY ($1::bigint[])
ORDER BY s.saga_key DESC)"};

constexpr Statement kHistory{"reader_history", R"(
SELECT h.saga_key, h.sequence, h.events
FROM unnest($1::bigint[], $2::bigint[]) AS w(saga_key, run_from)
JOIN history h ON h.saga_key = w.saga_key AND h.sequence >= w.run_from
ORDER BY h.saga_key, h.sequence)"};

constexpr Statement kSizes{"reader_sizes", R"(
SELECT k.saga_key, (SELECT coalesce(sum(octet_length(h.events)), 0) FROM history h WHERE h.saga_key = k.saga_key)
FROM unnest($1::bigint[]) WITH ORDINALITY AS k(saga_key, place)
ORDER BY k.place)"};

ConnectionSettings settings_of(const StoreOptions& options) {
  return {.uri = options.uri,
          .schema = options.schema,
          .application_name = "skald-reader",
          .connect_timeout = options.connect_timeout,
          .lock_timeout = options.lock_timeout,
          // Between two batches the caller works on what it was given.
          .idle_in_transaction_timeout = std::chrono::hours{1},
          .statement_timeout = std::chrono::hours{1},
          .call_timeout = std::chrono::hours{12}};
}

using Keys = std::vector<SagaKey>;

std::string literal(const Keys& keys) {
  ArrayLiteral text;
  for (const SagaKey key : keys) text.add(key);
  return std::move(text).finish();
}

class Reader {
 public:
  Reader(Connection& connection, pqxx::work& transaction, const SagaSelection& selection)
      : connection_(connection), transaction_(transaction), selection_(selection) {}

  Keys keys(const std::string& name_space) {
    const int status = selection_.status ? static_cast<int>(*selection_.status) : -1;
    Keys all;
    for (const auto& row :
         connection_.exec(transaction_, selection_.open_only ? kOpenKeys : kAllKeys,
                          shim::Parameters{name_space, selection_.definition, selection_.saga_id,
                                           std::to_string(status), std::to_string(selection_.maximum)}))
      all.push_back(row[0].as<SagaKey>());
    return all;
  }

  /// As many of these as have room; one at least.
  Keys fitting(const Keys& keys) {
    Keys fitting;
    std::size_t bytes = 0;
    for (const auto& row : connection_.exec(transaction_, kSizes, shim::Parameters{literal(keys)})) {
      bytes += row[1].as<std::size_t>();
      if (!fitting.empty() && bytes > selection_.batch_bytes) break;
      fitting.push_back(row[0].as<SagaKey>());
    }
    return fitting;
  }

  std::vector<StoredSaga> load(const Keys& keys) {
    std::vector<StoredSaga> sagas;
    std::map<SagaKey, std::size_t> places;
    ArrayLiteral firsts, found;
    for (const auto& row : connection_.exec(transaction_, kRows, shim::Parameters{literal(keys)})) {
      SagaRow saga = saga_row_of(row);
      places[saga.key] = sagas.size();
      found.add(saga.key);
      firsts.add(selection_.runs == Runs::kAll ? 1 : saga.run_from);
      sagas.push_back({std::move(saga), {}, false});
    }
    for (const auto& row : connection_.exec(
             transaction_, kHistory, shim::Parameters{std::move(found).finish(), std::move(firsts).finish()}))
      sagas[places.at(row[0].as<SagaKey>())].history.push_back({row[1].as<std::int64_t>(), text_of(row[2])});
    return sagas;
  }

 private:
  Connection& connection_;
  pqxx::work& transaction_;
  const SagaSelection& selection_;
};

}  // namespace

Result<std::size_t> read_sagas(const StoreOptions& options, const SagaSelection& selection,
                               const std::function<bool(const std::vector<StoredSaga>&)>& take) {
  Connection connection(settings_of(options), std::make_shared<Watchdog>());
  return connection.run([&](Connection& opened) -> Result<std::size_t> {
    if (auto fits = check_schema(opened, options.schema, Migrator::binary_version()); !fits)
      return fits.error();
    pqxx::work transaction{opened.raw()};
    opened.exec(transaction, kSnapshot);
    Reader reader(opened, transaction, selection);
    const Keys keys = reader.keys(options.namespace_name);
    for (std::size_t next = 0; next < keys.size();) {
      const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(next);
      const Keys some = reader.fitting(
          {begin, begin + static_cast<std::ptrdiff_t>(std::min(selection.batch, keys.size() - next))});
      next += some.size();
      if (!take(reader.load(some))) break;
    }
    return keys.size();
  });
}

}  // namespace skald::postgres
