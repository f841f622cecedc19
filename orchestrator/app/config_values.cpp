// Gathering of configuration values: file, then environment over it, then the secret files they name. The
// first thing wrong is told, in one line.
#include "app/config_values.hpp"

#include <algorithm>
#include <set>

#include "app/config_text.hpp"
#include "wire/slots.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kMaximumFileBytes = 1 << 20;
constexpr std::size_t kMaximumSecretBytes = 64 << 10;
constexpr std::string_view kFileSuffix = "_file";
constexpr std::string_view kPropertyVariable = "SKALD_KAFKA_PROPERTIES_";
constexpr std::string_view kPropertyKey = "kafka.properties.*";

Error error(const char* code, const std::string& origin, const std::string& what) {
  return {ErrorKind::kInvalid, code, origin + ": " + what};
}

const KeySchema& schema_of(std::string_view key) {
  const auto schema = config_schema();
  return *std::find_if(schema.begin(), schema.end(), [&](const KeySchema& row) { return row.key == key; });
}

bool is_one_of(const KeySchema& schema, std::string_view word) {
  const std::string_view all = schema.choices;
  const std::size_t at = all.find(word);
  return !word.empty() && at != std::string_view::npos && (at == 0 || all[at - 1] == ' ') &&
         (at + word.size() == all.size() || all[at + word.size()] == ' ');
}

bool made_of(std::string_view text, std::size_t maximum, std::string_view extra, bool capitals) {
  if (text.empty() || text.size() > maximum) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (capitals && c >= 'A' && c <= 'Z') ||
           extra.find(c) != std::string_view::npos;
  });
}

bool is_schema_name(std::string_view text) {
  return made_of(text, 63, "_", false) && !(text.front() >= '0' && text.front() <= '9') &&
         !text.starts_with("pg_");
}

template <class Number>
bool within(const std::optional<Number>& value, const KeySchema& schema) {
  return value && (schema.maximum == 0 || (*value >= static_cast<Number>(schema.minimum) &&
                                           *value <= static_cast<Number>(schema.maximum)));
}

bool fits(const KeySchema& schema, const std::string& text) {
  switch (schema.type) {
    case ValueType::kText: return text.find('\0') == std::string::npos && !text.empty();
    case ValueType::kName: return made_of(text, 63, "._-", true);
    case ValueType::kTopic: return made_of(text, 249, "._-", true) && text != "." && text != "..";
    case ValueType::kIdentifier: return is_schema_name(text);
    case ValueType::kBoolean: return parse_boolean(text).has_value();
    case ValueType::kInteger: return within(parse_integer(text), schema);
    case ValueType::kReal: return within(parse_real(text), schema);
    case ValueType::kDuration: {
      const auto duration = parse_duration(text);
      return within(duration ? std::optional(duration->count()) : std::nullopt, schema);
    }
    case ValueType::kBytes: return within(parse_bytes(text), schema);
    case ValueType::kAddress: return parse_address(text).has_value();
    case ValueType::kChoice: return is_one_of(schema, text);
    case ValueType::kSource: return parse_source(text).has_value();
    case ValueType::kFilter: return parse_filter(text).has_value();
    case ValueType::kSlots: return wire::SlotSet::parse(text).ok();
    case ValueType::kCodes: {
      const auto codes = split_list(text);
      return codes.size() <= 16 && std::all_of(codes.begin(), codes.end(), [](const std::string& code) {
               return made_of(code, 63, "._-", true);
             });
    }
  }
  return false;
}

/// A password inside a libpq URI or keyword string.
bool holds_password(const std::string& uri) {
  if (uri.find("password") != std::string::npos) return true;
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return false;
  const std::string user = uri.substr(scheme + 3, uri.find('/', scheme + 3) - scheme - 3);
  const std::size_t at = user.rfind('@');
  return at != std::string::npos && user.substr(0, at).find(':') != std::string::npos;
}

class Gatherer {
 public:
  explicit Gatherer(const ConfigSources& sources) : sources_(sources) {}

  Result<ConfigValues> run() {
    if (!sources_.file.empty())
      if (auto done = add_file(); !done) return done.error();
    if (auto done = add_environment(); !done) return done.error();
    if (auto done = read_secrets(); !done) return done.error();
    return std::move(values_);
  }

 private:
  Result<void> add_file() {
    auto text = sources_.read_file(sources_.file);
    if (!text)
      return Error{ErrorKind::kInvalid, kCodeFile,
                   "configuration file " + sources_.file + ": " + text.error().message};
    if (text->size() > kMaximumFileBytes)
      return error(kCodeFile, sources_.file, "larger than 1 MiB; is this the configuration file?");
    auto entries = read_yaml(sources_.file, *text);
    if (!entries) return entries.error();
    for (const FileEntry& entry : *entries)
      if (auto done = add_entry(entry); !done) return done.error();
    return {};
  }

  Result<void> add_entry(const FileEntry& entry) {
    const std::string origin = sources_.file + ":" + std::to_string(entry.line);
    bool names_file = false;
    const auto key = resolve(entry.path, names_file);
    if (!key) {
      if (entry.section && is_section(entry.path)) return {};
      return unknown(entry, origin);
    }
    if (entry.section)
      return wrong_value(origin, key_text(*key, names_file), "is empty; it takes " + takes(*key, names_file));
    if (entry.list && key->schema->type != ValueType::kCodes)
      return wrong_value(origin, key->text(), "takes one value, not a list: " + takes(*key, names_file));
    auto value = substitute(entry.text, origin, key_text(*key, names_file));
    if (!value) return value.error();
    const bool literal = *value == entry.text;
    const bool plain_secret =
        (key->secret() && !names_file) || (is_uri(*key->schema) && holds_password(*value));
    if (literal && plain_secret) return plain_text_secret(*key, origin);
    return put(*key, names_file, *value, origin);
  }

  static Error plain_text_secret(const KeyReference& key, const std::string& origin) {
    const bool uri = is_uri(*key.schema);
    const std::string text = key.text();
    const std::string better = uri ? text.substr(0, text.size() - 3) + "password" : text;
    return error(kCodeSecret, origin,
                 key.text() + (uri ? " holds a password in plain text" : " stands here in plain text") +
                     "; name a file that holds it with " + better + "_file, or set " +
                     environment_name(better));
  }

  Result<void> add_environment() {
    std::set<std::string> taken;
    for (const KeyReference& key : expected_keys()) {
      for (const bool names_file : {false, true}) {
        if (names_file && !key.secret()) continue;
        const std::string variable = environment_name(key.text() + (names_file ? "_file" : ""));
        const auto found = sources_.environment.find(variable);
        if (found == sources_.environment.end()) continue;
        if (!taken.insert(variable).second)
          return error(kCodeUnknown, variable,
                       "fits two keys, one of them " + key.text() + "; set that one in the file");
        if (auto done = put(key, names_file, found->second, variable); !done) return done;
      }
    }
    return add_unexpected(taken);
  }

  /// Environment variables that no fixed key expects: librdkafka properties, and misspelt names.
  Result<void> add_unexpected(const std::set<std::string>& taken) {
    std::vector<std::string> known;
    for (const KeyReference& key : expected_keys()) known.push_back(environment_name(key.text()));
    for (const auto& [variable, value] : sources_.environment) {
      if (!variable.starts_with("SKALD_") || taken.contains(variable) || variable == "SKALD_CONFIG") continue;
      if (variable.starts_with(kPropertyVariable) && variable.size() > kPropertyVariable.size()) {
        if (auto done = add_property(variable, value); !done) return done;
        continue;
      }
      const std::string near = nearest(variable, known);
      const bool typing_error = !near.empty() && nearest_by(variable, near) <= 2;
      if (typing_error)
        return error(kCodeUnknown, variable,
                     "no key has this environment variable; did you mean " + near + "?");
      values_.notes.push_back("environment variable " + printable(variable) +
                              " is none of Skald's keys and ignored");
    }
    return {};
  }

  static std::size_t nearest_by(std::string_view a, std::string_view b) {
    std::size_t front = 0, back = 0;
    while (front < std::min(a.size(), b.size()) && a[front] == b[front]) ++front;
    while (back < std::min(a.size(), b.size()) - front && a[a.size() - 1 - back] == b[b.size() - 1 - back])
      ++back;
    return std::max(a.size(), b.size()) - front - back;
  }

  Result<void> add_property(const std::string& variable, const std::string& value) {
    std::string property;
    for (const char c : variable.substr(kPropertyVariable.size()))
      property += c == '_' ? '.' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    bool names_file = false;
    if (property.ends_with(".file") && is_secret_property(property.substr(0, property.size() - 5))) {
      property.resize(property.size() - 5);
      names_file = true;
    }
    return put({&schema_of(kPropertyKey), property}, names_file, value, variable);
  }

  /// Keys without a placeholder, and the others with each name that the binary or the file knows.
  std::vector<KeyReference> expected_keys() const {
    std::vector<KeyReference> keys;
    for (const KeySchema& schema : config_schema()) {
      const std::size_t open = schema.key.find('<');
      if (schema.key.back() == '*') continue;
      if (open == std::string_view::npos) {
        keys.push_back({&schema, ""});
        continue;
      }
      const std::string kind(schema.key.substr(open + 1, schema.key.find('>') - open - 1));
      for (const std::string& name : known_names(kind)) keys.push_back({&schema, name});
    }
    return keys;
  }

  std::set<std::string> known_names(const std::string& kind) const {
    std::set<std::string> names;
    if (const auto found = sources_.names.find(kind); found != sources_.names.end())
      names.insert(found->second.begin(), found->second.end());
    for (const auto& [key, setting] : values_.settings)
      if (key.schema->key.find("<" + kind + ">") != std::string_view::npos) names.insert(key.name);
    return names;
  }

  /// Reads the files that `<key>_file` names.
  Result<void> read_secrets() {
    for (const auto& [key, setting] : secret_files_) {
      auto text = sources_.read_file(setting.text);
      const std::string label = key.text() + "_file";
      if (!text)
        return error(kCodeSecret, setting.origin,
                     label + ": " + printable(setting.text) + ": " + text.error().message);
      if (text->size() > kMaximumSecretBytes)
        return error(kCodeSecret, setting.origin,
                     label + ": " + printable(setting.text) + ": larger than 64 KiB");
      std::string secret = std::move(*text);
      while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
      if (secret.empty())
        return error(kCodeSecret, setting.origin,
                     label + ": " + printable(setting.text) + ": the file is empty");
      values_.settings[key] = {secret, setting.origin + " (file " + printable(setting.text) + ")"};
    }
    return {};
  }

  std::optional<KeyReference> resolve(std::vector<std::string> path, bool& names_file) const {
    if (auto key = find_key(path); key && !path.back().ends_with(kFileSuffix)) return key;
    if (path.back().ends_with(kFileSuffix)) {
      std::vector<std::string> base = path;
      base.back().resize(base.back().size() - kFileSuffix.size());
      if (auto key = find_key(base); key && key->secret()) {
        names_file = true;
        return key;
      }
    }
    return find_key(path);
  }

  static std::string joined(const std::vector<std::string>& path) {
    std::string text;
    for (const std::string& segment : path) text += (text.empty() ? "" : ".") + segment;
    return text;
  }

  /// Is `path` the beginning of some key?
  static bool is_section(const std::vector<std::string>& path) { return !keys_below(path).empty(); }

  static std::vector<std::string> keys_below(const std::vector<std::string>& path) {
    std::vector<std::string> below;
    const std::string prefix = joined(path) + ".";
    for (const std::string& key : keys_with_name(path.size() > 1 ? path[1] : "NAME"))
      if (key.starts_with(prefix)) below.push_back(key.substr(prefix.size()));
    if (prefix == "kafka.") below.emplace_back("properties");
    if (prefix == "kafka.properties.") below.emplace_back("PROPERTY (any of librdkafka)");
    return below;
  }

  static Error unknown(const FileEntry& entry, const std::string& origin) {
    const std::string text = printable(joined(entry.path), 160);
    const auto below = keys_below(entry.path);
    if (!below.empty()) {
      std::string keys;
      for (const std::string& key : below) keys += (keys.empty() ? "" : ", ") + key;
      return error(kCodeUnknown, origin, text + " is a section; it takes " + keys);
    }
    for (std::size_t length = entry.path.size() - 1; length > 0; --length) {
      const std::vector<std::string> parent(entry.path.begin(),
                                            entry.path.begin() + static_cast<std::ptrdiff_t>(length));
      if (const auto key = find_key(parent))
        return error(kCodeValue, origin,
                     printable(key->text()) + " takes " + what_it_takes(*key->schema) + ", not a section");
    }
    const auto known = keys_with_name(entry.path.size() > 1 ? entry.path[1] : "NAME");
    const std::string near = nearest(joined(entry.path), known);
    return error(kCodeUnknown, origin,
                 text + ": no such key" +
                     (near.empty() ? "; see check-config --reference"
                                   : "; did you mean " + printable(near, 160) + "?"));
  }

  static std::string key_text(const KeyReference& key, bool names_file) {
    return printable(key.text(), 160) + (names_file ? "_file" : "");
  }
  static std::string takes(const KeyReference& key, bool names_file) {
    return names_file ? "the path of a file" : what_it_takes(*key.schema);
  }

  /// ${VAR} stands for an environment variable, $${ for itself.
  Result<std::string> substitute(const std::string& text, const std::string& origin,
                                 const std::string& key) const {
    std::string out;
    for (std::size_t index = 0; index < text.size();) {
      if (text.compare(index, 3, "$${") == 0) {
        out += "${";
        index += 3;
      } else if (text.compare(index, 2, "${") == 0) {
        const std::size_t end = text.find('}', index);
        if (end == std::string::npos)
          return wrong_value(origin, key, "has ${ without }; write $${ for a plain one");
        const std::string name = text.substr(index + 2, end - index - 2);
        const auto found = sources_.environment.find(name);
        if (found == sources_.environment.end())
          return error(kCodeVariable, origin,
                       key + " uses ${" + printable(name) + "}, and no such environment variable is set");
        out += found->second;
        index = end + 1;
      } else {
        out += text[index++];
      }
    }
    return out;
  }

  Result<void> put(const KeyReference& key, bool names_file, const std::string& text,
                   const std::string& origin) {
    const std::string label = key_text(key, names_file);
    const bool good_name =
        key.name.empty() || key.schema->key.back() == '*' || made_of(key.name, 63, "._-", true);
    if (!good_name)
      return error(kCodeUnknown, origin, label + ": a name is 1 to 63 characters of A-Z a-z 0-9 . _ -");
    if (names_file ? text.empty() : !fits(*key.schema, text)) {
      const std::string shown =
          key.secret() || text.empty() || is_uri(*key.schema) ? "" : " \"" + printable(text) + "\"";
      return wrong_value(origin, label,
                         (text.empty() ? "is empty; it takes " : "cannot be" + shown + "; it takes ") +
                             takes(key, names_file));
    }
    const bool from_file = origin.starts_with(sources_.file + ":") && !sources_.file.empty();
    auto& mine = names_file ? secret_files_ : values_.settings;
    auto& other = names_file ? values_.settings : secret_files_;
    if (const auto twin = other.find(key); twin != other.end()) {
      const bool twin_from_file =
          twin->second.origin.starts_with(sources_.file + ":") && !sources_.file.empty();
      if (twin_from_file == from_file)
        return error(kCodeValue, origin,
                     key.text() + " and " + key.text() + "_file are both set; one of them is enough");
      other.erase(twin);
    }
    mine[key] = {text, origin};
    return {};
  }

  const ConfigSources& sources_;
  ConfigValues values_;
  std::map<KeyReference, Setting> secret_files_;
};

}  // namespace

const Setting* ConfigValues::find(std::string_view key, const std::string& name) const {
  const auto found = settings.find({&schema_of(key), name});
  return found == settings.end() ? nullptr : &found->second;
}

Error wrong_value(const std::string& origin, const std::string& key, const std::string& what) {
  return error(kCodeValue, origin, key + " " + what);
}

Result<ConfigValues> gather(const ConfigSources& sources) { return Gatherer(sources).run(); }

}  // namespace skald::app
