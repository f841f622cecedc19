// Each database; see each_database.hpp.
#include "app/each_database.hpp"

#include "postgres/postgres_store.hpp"

namespace skald::app {

Result<void> in_each(const Config& config,
                     const std::function<Result<void>(const DatabaseConfig&, Session&)>& work) {
  for (const DatabaseConfig& one : config.databases) {
    postgres::StoreOptions options;
    options.uri = one.postgres.conninfo();
    options.schema = one.postgres.schema;
    options.namespace_name = config.name_space;
    auto session = postgres::PostgresStore(options).open();
    auto done = session ? work(one, **session) : Result<void>(session.error());
    if (done) continue;
    Error error = done.error();
    if (!one.name.empty()) error.message = one.called() + ": " + error.message;
    return error;
  }
  return {};
}

}  // namespace skald::app
