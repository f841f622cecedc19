// Opening databases; see open_database.hpp.
#include "app/open_database.hpp"

namespace skald::app {

postgres::StoreOptions store_of(const Config& config, const DatabaseConfig& database) {
  postgres::StoreOptions options;
  options.uri = database.postgres.conninfo();
  options.schema = database.postgres.schema;
  options.namespace_name = config.name_space;
  return options;
}

Error of_database(const DatabaseConfig& database, Error error) {
  if (!database.name.empty()) error.message = database.called() + ": " + error.message;
  return error;
}

Result<std::unique_ptr<Session>> open_session(const Config& config, const DatabaseConfig& database) {
  auto session = postgres::PostgresStore(store_of(config, database)).open();
  if (!session) return of_database(database, session.error());
  return session;
}

Result<void> in_each(const Config& config,
                     const std::function<Result<void>(const DatabaseConfig&, Session&)>& work) {
  for (const DatabaseConfig& one : config.databases) {
    auto session = open_session(config, one);
    if (!session) return session.error();
    if (auto done = work(one, **session); !done) return of_database(one, done.error());
  }
  return {};
}

}  // namespace skald::app
