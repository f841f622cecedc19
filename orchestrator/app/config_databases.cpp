// How several databases are configured, and that together they have every slot once; see config_databases.hpp.
#include "app/config_databases.hpp"

#include <map>
#include <set>

#include "app/config_text.hpp"

namespace skald::app {
namespace {

/// Percent-encoding for a URI's query.
std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string text(const ConfigValues& values, std::string_view key, const std::string& name,
                 const std::string& fallback) {
  const Setting* setting = values.find(key, name);
  return setting == nullptr ? fallback : setting->text;
}

Error refuse(const ConfigValues& values, const std::string& name, const char* code,
             const std::string& message) {
  std::string origin;
  for (const auto& [key, setting] : values.settings)
    if (origin.empty() && key.name == name && key.schema->key.starts_with("databases."))
      origin = setting.origin;
  return {ErrorKind::kInvalid, code, (origin.empty() ? "" : origin + ": ") + message};
}

Result<DatabaseConfig> database(const ConfigValues& values, const std::string& name,
                                const DatabaseConfig& only) {
  DatabaseConfig config;
  config.name = name;
  config.postgres = {text(values, "databases.<database>.uri", name, ""),
                     text(values, "databases.<database>.password", name, ""),
                     text(values, "databases.<database>.schema", name, only.postgres.schema)};
  config.replies = text(values, "databases.<database>.replies", name, only.replies + "." + name);
  config.group = only.group + "-" + name;
  const std::string key = "databases." + name;
  if (config.postgres.uri.empty())
    return refuse(values, name, kCodeMissing,
                  key + ".uri is not set: where this database is, like postgresql://skald@db-1:5432/skald");
  const Setting* slots = values.find("databases.<database>.slots", name);
  if (slots == nullptr)
    return refuse(
        values, name, kCodeMissing,
        key + ".slots is not set: which of the slots 0-1023 this database has, like 0-511, or none");
  config.slots = wire::SlotSet::parse(slots->text).value();
  return config;
}

Result<void> divide(const ConfigValues& values, const std::vector<DatabaseConfig>& databases) {
  wire::SlotSet taken;
  std::map<std::string, std::string> topics;
  for (const DatabaseConfig& one : databases) {
    if (const auto twice = taken.both(one.slots); !twice.empty())
      return refuse(values, one.name, kCodeValue,
                    "databases." + one.name + ".slots: another database has " + twice.text() + " too");
    taken = taken.either(one.slots);
    if (const auto [other, fresh] = topics.emplace(one.replies, one.name); !fresh)
      return refuse(values, one.name, kCodeValue,
                    "databases." + one.name + ".replies: " + one.replies + " is that of database " +
                        other->second + " already");
  }
  const auto missing = wire::SlotSet::all().without(taken);
  if (missing.empty()) return {};
  return Error{ErrorKind::kInvalid, kCodeValue,
               "databases: no database has the slots " + missing.text() + "; every slot needs one"};
}

}  // namespace

std::string PostgresConfig::conninfo() const {
  if (password.empty()) return uri;
  if (uri.find("://") == std::string::npos)
    return uri + (uri.empty() ? "" : " ") + "password=" + in_quotes(password);
  return uri + (uri.find('?') == std::string::npos ? "?" : "&") + "password=" + encoded(password);
}

std::string PostgresConfig::shown() const {
  const std::size_t scheme = uri.find("://");
  if (uri.empty()) return "(PG* variables)";
  if (scheme == std::string::npos) {
    if (uri.find("password") == std::string::npos) return printable(uri, 200);
    return "(keyword string with a password)";
  }
  std::string rest = uri.substr(scheme + 3);
  rest = rest.substr(0, rest.find('?'));
  const std::size_t at = rest.rfind('@');
  const std::string user = at == std::string::npos ? "" : rest.substr(0, rest.find_first_of(":@")) + "@";
  return "postgresql://" + printable(user + (at == std::string::npos ? rest : rest.substr(at + 1)), 200);
}

Result<std::vector<DatabaseConfig>> databases_of(const ConfigValues& values, const DatabaseConfig& only) {
  std::set<std::string> names;
  for (const auto& [key, setting] : values.settings)
    if (key.schema->key.starts_with("databases.")) names.insert(key.name);
  if (names.empty()) return std::vector<DatabaseConfig>{only};
  for (const char* key : {"postgres.uri", "postgres.password"})
    if (const Setting* setting = values.find(key); setting != nullptr)
      return Error{ErrorKind::kInvalid, kCodeValue,
                   setting->origin + ": " + key +
                       " is for a single database, and databases are configured; make it one of them"};
  std::vector<DatabaseConfig> databases;
  for (const std::string& name : names) {
    auto one = database(values, name, only);
    if (!one) return one.error();
    databases.push_back(std::move(*one));
  }
  if (auto done = divide(values, databases); !done) return done.error();
  return databases;
}

const DatabaseConfig& database_of_slot(const std::vector<DatabaseConfig>& databases, int slot) {
  for (const DatabaseConfig& one : databases)
    if (one.slots.contains(slot)) return one;
  return databases.front();
}

}  // namespace skald::app
