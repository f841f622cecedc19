// What differs between libpqxx 6.4 (Debian 12) and 7.x (Debian 13, Ubuntu 24.04), and nothing else: reactivation,
// parameters, COPY. Included by this folder's .cpp files only.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace skald::postgres::shim {

using Parameters = std::vector<std::string>;  // in PostgreSQL's text format

/// Parameters whose first one is bytes, sent as they are.
struct BytesFirst {
  std::string_view bytes;
  Parameters rest;
};

#if PQXX_VERSION_MAJOR >= 7
inline void forbid_silent_reconnect(pqxx::connection&) {}

inline pqxx::result run(pqxx::transaction_base& transaction, const std::string& name,
                        const pqxx::params& parameters) {
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
  return transaction.exec(pqxx::prepped{name}, parameters);
#else
  return transaction.exec_prepared(name, parameters);
#endif
}

inline pqxx::result run(pqxx::transaction_base& transaction, const std::string& name,
                        const Parameters& given) {
  pqxx::params parameters;
  parameters.reserve(given.size());
  for (const std::string& parameter : given) parameters.append(parameter);
  return run(transaction, name, parameters);
}

inline pqxx::result run(pqxx::transaction_base& transaction, const std::string& name,
                        const BytesFirst& given) {
  pqxx::params parameters;
  parameters.reserve(1 + given.rest.size());
  parameters.append(pqxx::binary_cast(given.bytes));
  for (const std::string& parameter : given.rest) parameters.append(parameter);
  return run(transaction, name, parameters);
}

inline pqxx::stream_to copy_into(pqxx::transaction_base& transaction, const std::string& table,
                                 const std::vector<std::string>& columns) {
  return pqxx::stream_to::raw_table(transaction, table, pqxx::separated_list(",", columns));
}
#else
inline void forbid_silent_reconnect(pqxx::connection& connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

inline pqxx::result run(pqxx::transaction_base& transaction, const std::string& name,
                        const Parameters& given) {
  return transaction.exec_prepared(name, pqxx::prepare::make_dynamic_params(given));
}

inline pqxx::result run(pqxx::transaction_base& transaction, const std::string& name,
                        const BytesFirst& given) {
  return transaction.exec_prepared(name, pqxx::binarystring(given.bytes.data(), given.bytes.size()),
                                   pqxx::prepare::make_dynamic_params(given.rest));
}

inline pqxx::stream_to copy_into(pqxx::transaction_base& transaction, const std::string& table,
                                 const std::vector<std::string>& columns) {
  return pqxx::stream_to{transaction, table, columns};
}
#endif

}  // namespace skald::postgres::shim
