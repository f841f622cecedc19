// The table of configuration keys; see config_schema.hpp. A new key is one row here and one line where
// config.cpp reads it.
#include "app/config_schema.hpp"

#include <algorithm>
#include <array>

#include "app/config_text.hpp"

namespace skald::app {
namespace {

constexpr std::int64_t kSecond = 1000, kHour = 3600 * kSecond, kDay = 24 * kHour, kYear = 365 * kDay;

using enum ValueType;

constexpr KeySchema kSchema[] = {
    {"namespace", kName, "default",
     "Separates installations that share a database or a cluster; part of every message id."},

    {"postgres.uri", kText, "(PG* variables)",
     "libpq URI or keyword string, like postgresql://skald@db:5432/skald. Without it the PG* variables "
     "count."},
    {"postgres.password", kText, "", "Password, if it does not stand in the URI, PGPASSFILE or PGPASSWORD.",
     0, 0, "", true},
    {"postgres.schema", kIdentifier, "skald", "Schema of the tables."},

    {"databases.<database>.uri", kText, "",
     "One of several databases that divide the sagas among themselves: its libpq URI. Instead of "
     "postgres.uri."},
    {"databases.<database>.password", kText, "", "Its password, if it does not stand in the URI.", 0, 0, "",
     true},
    {"databases.<database>.schema", kIdentifier, "(postgres.schema)", "Schema of its tables."},
    {"databases.<database>.slots", kSlots, "",
     "Which of the 1,024 slots of saga ids it has; every slot belongs to one database."},
    {"databases.<database>.replies", kTopic, "(<topics.replies>.<database>)",
     "Where participants answer its sagas."},

    {"kafka.bootstrap_servers", kText, "",
     "HOST:PORT of one or more brokers, separated by commas. serve needs it."},
    {"kafka.group", kText, "(skald-<namespace>)", "Consumer group; processes of one namespace share it."},
    {"kafka.instance_id", kText, "",
     "Static membership: a name of this process alone that stays over a restart, like a StatefulSet's pod. "
     "It then keeps "
     "its partitions while it is away, up to the session timeout."},
    {"kafka.properties.*", kText, "",
     "Any librdkafka property, like kafka.properties.security.protocol. Those that Skald's promises rest on "
     "are refused."},

    {"topics.replies", kTopic, "(skald.<namespace>.replies)", "Where participants answer."},
    {"topics.signals", kTopic, "(skald.<namespace>.signals)",
     "Where signals to sagas come in, if any saga of the binary takes some."},
    {"topics.children", kTopic, "(skald.<namespace>.children)", "Commands of sagas to their child sagas."},
    {"topics.lifecycle", kTopic, "(skald.<namespace>.lifecycle)", "Where outcome events go."},
    {"topics.create", kBoolean, "false",
     "Create topics that do not exist at start, dead-letter topics included. Otherwise serve names them and "
     "ends."},
    {"topics.partitions", kInteger, "8", "Partitions of topics created so, or by topics --apply.", 1, 1000},
    {"topics.replication", kInteger, "0", "Copies of their partitions; 0: as the cluster does by default.", 0,
     100},
    {"topics.retention", kDuration, "(the cluster's default)",
     "How long their records are kept. Longer than the longest outage of Skald that is to lose nothing.",
     60'000, kYear},

    {"http.listen", kAddress, "127.0.0.1:8080",
     "Where the HTTP API, /healthz, /readyz and /metrics listen; port 0 takes any free one."},
    {"http.token", kText, "", "Bearer token for /api/v1. Without one, listening beyond loopback is refused.",
     0, 0, "", true},
    {"http.unprotected", kBoolean, "false",
     "Listen beyond loopback without a token all the same: something in front must keep strangers out."},

    {"steps.<step>.topic", kTopic, "(the step's own)", "Topic of a command step's commands."},
    {"steps.<step>.start_to_close", kDuration, "(the step's own)", "For one attempt.", 1, kYear},
    {"steps.<step>.schedule_to_start", kDuration, "(the step's own)",
     "From the sending of a command until a participant begins it; a later one is not executed.", 1, kYear},
    {"steps.<step>.schedule_to_close", kDuration, "(the step's own)", "For all attempts together.", 1, kYear},
    {"steps.<step>.heartbeat", kDuration, "(the step's own)",
     "Between two heartbeats of an attempt, from its first one on.", 1, kYear},
    {"steps.<step>.retry.initial_interval", kDuration, "(the step's own)", "Pause before the second attempt.",
     1, kDay},
    {"steps.<step>.retry.coefficient", kReal, "(the step's own)", "Each pause is the one before times this.",
     1, 100},
    {"steps.<step>.retry.maximum_interval", kDuration, "(the step's own)", "No pause is longer.", 1, kYear},
    {"steps.<step>.retry.maximum_attempts", kInteger, "(the step's own)",
     "0: as often as the timeouts allow.", 0, 1'000'000},
    {"steps.<step>.retry.jitter", kReal, "(the step's own)",
     "A pause is moved by up to this share of itself.", 0, 1},
    {"steps.<step>.retry.non_retryable", kCodes, "(the step's own)",
     "Failure codes that end the step at once."},
    {"steps.<step>.compensation_retry.initial_interval", kDuration, "(the step's own)",
     "As retry.initial_interval, for the compensation.", 1, kDay},
    {"steps.<step>.compensation_retry.coefficient", kReal, "(the step's own)",
     "As retry.coefficient, for the compensation.", 1, 100},
    {"steps.<step>.compensation_retry.maximum_interval", kDuration, "(the step's own)",
     "As retry.maximum_interval, for the compensation.", 1, kYear},
    {"steps.<step>.compensation_retry.maximum_attempts", kInteger, "(the step's own)",
     "0: for ever; after the last one the saga is stuck.", 0, 1'000'000},
    {"steps.<step>.compensation_retry.jitter", kReal, "(the step's own)",
     "As retry.jitter, for the compensation.", 0, 1},
    {"steps.<step>.compensation_retry.non_retryable", kCodes, "(the step's own)",
     "Failure codes after which the saga is stuck."},
    {"steps.<step>.limits.maximum_concurrent", kInteger, "(the step's own)",
     "Attempts of a local step under way at once in a process; 0: any number.", 0, 100'000},
    {"steps.<step>.limits.maximum_starts_per_second", kReal, "(the step's own)",
     "Attempts of a local step that begin in a process, each second; 0: any number.", 0, 1'000'000},
    {"steps.<step>.limits.breaker.failures", kInteger, "(the step's own)",
     "So many failures of a local step among the last attempts open its circuit breaker; 0: it has none.", 0,
     1000},
    {"steps.<step>.limits.breaker.attempts", kInteger, "(the step's own)",
     "Which attempts are the last; 0: as many as failures, so that they are failures in a row.", 0, 1000},
    {"steps.<step>.limits.breaker.open_for", kDuration, "(the step's own)",
     "How long no attempt begins; then one is let through.", 1, kDay},

    {"sagas.<saga>.deadline", kDuration, "(the saga's own)",
     "From its start; when it passes, the saga rolls back unless its pivot took effect.", 1, kYear},
    {"sagas.<saga>.objective", kDuration, "(the saga's deadline)",
     "How long a saga may be open before an alert says so. Nothing else goes by it.", 1, kYear},

    {"triggers.<trigger>.topic", kTopic, "",
     "Topic whose records start sagas. Every trigger needs it; a trigger written in code needs nothing "
     "else."},
    {"triggers.<trigger>.saga", kName, "", "Makes this a trigger by configuration: the saga it starts."},
    {"triggers.<trigger>.id", kSource, "key", "Where the saga id comes from."},
    {"triggers.<trigger>.input", kSource, "value", "Where the saga's input comes from."},
    {"triggers.<trigger>.filter", kFilter, "",
     "Only records for which this holds; the others are none of its business."},

    {"signals.<signal>.topic", kTopic, "", "Topic whose records are signals to running sagas."},
    {"signals.<signal>.saga", kName, "", "The saga they are for."},
    {"signals.<signal>.name", kName, "<signal>", "The signal's name, as the saga lists it."},
    {"signals.<signal>.id", kSource, "key", "Where the saga id comes from."},
    {"signals.<signal>.message_id", kSource, "(ce:id with ce:source, else topic, partition and offset)",
     "By what a second delivery of the same message is told."},
    {"signals.<signal>.data", kSource, "value", "Where the signal's value comes from."},
    {"signals.<signal>.filter", kFilter, "",
     "Only records for which this holds; the others are none of its business."},
    {"signals.<signal>.absent", kChoice, "wait",
     "A record for a saga that does not exist waits for it (runtime.parked_saga_absent_after), or is "
     "ignored.",
     0, 0, "wait ignore"},

    {"runtime.lanes", kInteger, "4", "Threads that judge and commit; each has a database connection.", 1, 64},
    {"runtime.maximum_batch", kInteger, "500", "Inputs in one transaction, at most.", 1, 5000},
    {"runtime.maximum_batch_bytes", kBytes, "4MiB", "Bytes of inputs in one transaction, about.", 1048576,
     268435456},
    {"runtime.cache_bytes", kBytes, "256MiB", "Memory of the sagas kept at hand, all lanes together.",
     1048576, 1099511627776},
    {"runtime.queue_high", kInteger, "4000",
     "Starts waiting in one lane above which trigger partitions pause.", 1, 1000000},
    {"runtime.queue_low", kInteger, "1000", "Starts waiting in every lane below which they resume.", 0,
     1000000},
    {"runtime.queue_urgent_high", kInteger, "20000",
     "Replies waiting in one lane above which the reply partitions pause too.", 1, 1000000},
    {"runtime.queue_bytes_high", kBytes, "16MiB",
     "Memory of the inputs in one lane above which trigger partitions pause; at twice this reply partitions "
     "too.",
     1048576, 1099511627776},
    {"runtime.outbox_high", kInteger, "50000",
     "Messages not yet acknowledged by Kafka above which partitions pause.", 1, 10000000},
    {"runtime.outbox_low", kInteger, "10000", "Messages below which they resume.", 0, 10000000},
    {"runtime.outbox_bytes_high", kBytes, "64MiB",
     "Memory of these messages, the Kafka client's copies included, above which trigger partitions pause; at "
     "twice this "
     "reply partitions and lanes too.",
     1048576, 1099511627776},
    {"runtime.local_high", kInteger, "10000",
     "Attempts of local steps waiting or running above which partitions pause.", 1, 1000000},
    {"runtime.local_bytes_high", kBytes, "16MiB",
     "Memory of their inputs above which trigger partitions pause; at twice this reply partitions too.",
     1048576, 1099511627776},
    {"runtime.open_records_high", kInteger, "200000",
     "Records read and not applied, or behind one that is not, above which trigger partitions pause; at "
     "twice this reply "
     "partitions too.",
     1000, 100000000},
    {"runtime.maximum_poll", kInteger, "500", "Records taken from the Kafka client at once.", 1, 10000},
    {"runtime.poll_timeout", kDuration, "100ms", "How long the client waits for a record.", 1, 10000},
    {"runtime.save_positions_interval", kDuration, "200ms",
     "Between two recordings of how far the partitions are applied.", 10, 60000},
    {"runtime.broker_timeout", kDuration, "5s", "How long one question to a broker may take.", 100, 60000},
    {"runtime.stopped_recheck", kDuration, "3s", "Between two looks at stopped partitions.", 100, 600000},
    {"runtime.heartbeat_interval", kDuration, "3s", "Between two heartbeats of the process in the database.",
     100, 60000},
    {"runtime.incarnation_lease", kDuration, "15s",
     "A process whose heartbeat is older loses its outbox and timers to others; twice as old, its local "
     "steps.",
     1000, 600000},
    {"runtime.claim_interval", kDuration, "200ms", "At most this between two looks for due sagas.", 10,
     60000},
    {"runtime.maximum_claim", kInteger, "5000", "Due sagas taken at once; of parked inputs at most 1000.", 1,
     100000},
    {"runtime.claim_lease", kDuration, "30s", "A due saga taken is nobody else's for this long.", 1000,
     600000},
    {"runtime.foreign_grace", kDuration, "15s", "Due sagas of another process are left to it for this long.",
     0, 600000},
    {"runtime.reply_wait", kDuration, "10s",
     "A deadline waits for the replies that were in Kafka before it, without progress at most this long.", 0,
     600000},
    {"runtime.parked_interval", kDuration, "500ms", "Between two looks for parked inputs.", 10, 60000},
    {"runtime.parked_lease", kDuration, "5s", "A parked input taken is nobody else's for this long.", 1000,
     600000},
    {"runtime.parked_saga_absent_after", kDuration, "10m",
     "An input for a saga that does not exist becomes a dead letter after this.", 1000, 2592000000},
    {"runtime.parked_divergence_after", kDuration, "10m",
     "A saga that no running build can continue becomes stuck after this.", 1000, 2592000000},
    {"runtime.adopt_interval", kDuration, "2s", "Between two looks for messages that dead processes left.",
     100, 600000},
    {"runtime.gauges_interval", kDuration, "15s", "Between two counts of the whole database for the metrics.",
     1000, 3600000},
    {"runtime.history_warning_transitions", kInteger, "10000",
     "A saga whose history grows beyond this is logged and counted, once; at 51200 it is stuck.", 1, 51200},
    {"runtime.history_warning_bytes", kBytes, "16MiB", "The same for its bytes; at 50 MiB it is stuck.", 1024,
     52428800},
    {"runtime.history_retention", kDuration, "",
     "The histories of sagas that ended so long ago are removed; unset: none is.", 1000, 10 * kYear},
    {"runtime.saga_retention", kDuration, "",
     "Their rows, by which a start that comes again is told, are removed after this: longer than any trigger "
     "topic "
     "keeps its records. Unset: none is.",
     1000, 10 * kYear},
    {"runtime.retention_interval", kDuration, "1m", "Between two looks for such sagas.", 100, kDay},
    {"runtime.outbox_delete_after", kDuration, "50ms",
     "Acknowledged outbox rows wait this long for a transaction that takes them along.", 0, 60000},
    {"runtime.backoff_initial", kDuration, "50ms", "First wait after PostgreSQL or Kafka failed; it doubles.",
     1, 60000},
    {"runtime.backoff_maximum", kDuration, "5s", "Longest such wait.", 1, 600000},
    {"runtime.doubt_period", kDuration, "2m",
     "How long the traces of a commit of unknown outcome are looked for.", 1000, 3600000},
    {"runtime.doubt_interval", kDuration, "1s", "Between two such looks.", 10, 60000},
    {"runtime.local_threads", kInteger, "8", "Threads that run local steps.", 1, 1000},
    {"runtime.local_overrun_exit", kDuration, "",
     "A local step that runs on this long after its deadline ends the process; without it there is only an "
     "alert.",
     1000, 86400000},
    {"runtime.shutdown_grace", kDuration, "20s", "For finishing what is under way after SIGTERM.", 0,
     3600000},
    {"runtime.liveness_limit", kDuration, "30s", "A lane without progress for this long fails /healthz.",
     1000, 3600000},

    {"log.level", kChoice, "info", "What is logged.", 0, 0, "debug info warning error"},
    {"log.format", kChoice, "json", "One JSON object a line, or text for people.", 0, 0, "json text"},
};

std::vector<std::string> segments_of(std::string_view key) {
  std::vector<std::string> segments;
  while (true) {
    const std::size_t dot = key.find('.');
    segments.emplace_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return segments;
    key.remove_prefix(dot + 1);
  }
}

std::string join(std::span<const std::string> segments) {
  std::string text;
  for (const std::string& segment : segments) text += (text.empty() ? "" : ".") + segment;
  return text;
}

/// The place of `<…>` or `*` in a schema key; npos if it has none.
std::size_t placeholder_at(std::string_view key) { return key.find_first_of("<*"); }

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string range_text(const KeySchema& schema, const std::string& low, const std::string& high) {
  return schema.maximum == 0 ? "" : " from " + low + " to " + high;
}

}  // namespace

std::span<const KeySchema> config_schema() { return kSchema; }

std::string KeyReference::text() const {
  const std::size_t place = placeholder_at(schema->key);
  if (place == std::string_view::npos) return std::string(schema->key);
  const std::size_t end = schema->key[place] == '*' ? place + 1 : schema->key.find('>') + 1;
  return std::string(schema->key.substr(0, place)) + name + std::string(schema->key.substr(end));
}

bool KeyReference::secret() const {
  return schema->secret || (schema->key == "kafka.properties.*" && is_secret_property(name));
}

std::optional<KeyReference> find_key(std::span<const std::string> path) {
  for (const KeySchema& schema : kSchema) {
    const std::vector<std::string> segments = segments_of(schema.key);
    KeyReference found{&schema, ""};
    bool fits = segments.size() == path.size() || (segments.back() == "*" && path.size() > segments.size());
    for (std::size_t index = 0; fits && index < segments.size(); ++index) {
      if (segments[index] == "*")
        found.name = join(path.subspan(index));
      else if (segments[index].front() == '<')
        found.name = path[index];
      else
        fits = segments[index] == path[index];
    }
    if (fits) return found;
  }
  return std::nullopt;
}

std::string environment_name(std::string_view key) {
  std::string name = "SKALD_";
  for (const char c : key) {
    if (c >= 'a' && c <= 'z')
      name += static_cast<char>(c - 'a' + 'A');
    else
      name += c == '.' || c == '-' ? '_' : c;
  }
  return name;
}

std::string what_it_takes(const KeySchema& schema) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  const auto duration = [](std::int64_t value) { return format_duration(std::chrono::milliseconds(value)); };
  switch (schema.type) {
    case kText: return "text";
    case kName: return "a name: 1 to 63 characters of A-Z a-z 0-9 . _ -";
    case kTopic: return "a topic: 1 to 249 characters of A-Z a-z 0-9 . _ -";
    case ValueType::kIdentifier:
      return "a schema name: 1 to 63 characters of a-z 0-9 _, not a digit first, not pg_…";
    case kBoolean: return "true or false";
    case kInteger:
      return "a whole number" + range_text(schema, number(schema.minimum), number(schema.maximum));
    case kReal: return "a number" + range_text(schema, number(schema.minimum), number(schema.maximum));
    case kDuration:
      return "a duration like 250ms, 10s, 2m, 1h or 7d" +
             range_text(schema, duration(schema.minimum), duration(schema.maximum));
    case kBytes:
      return "a size like 512KiB, 64MiB or 1GiB" +
             range_text(schema, number(schema.minimum), number(schema.maximum));
    case kAddress: return "HOST:PORT, like 127.0.0.1:8080";
    case kSource: return "key, value, ce:ATTRIBUTE, header:NAME or a JSON pointer like /order/id";
    case kFilter:
      return "SOURCE = VALUE, like /type = placed; SOURCE is key, ce:ATTRIBUTE, header:NAME or a JSON "
             "pointer";
    case kSlots: return "slots from 0 to 1023, like 0-511 or 0-99,200, or none";
    case kCodes: return "a list of up to 16 failure codes, each 1 to 63 characters of A-Z a-z 0-9 . _ -";
    case kChoice: {
      std::string text;
      std::string_view rest = schema.choices;
      while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        text += text.empty() ? "" : (rest.empty() ? " or " : ", ");
        text += word;
      }
      return text;
    }
  }
  return "";
}

bool is_secret_property(std::string_view property) {
  return property.find("password") != std::string_view::npos ||
         property.find("secret") != std::string_view::npos || property == "ssl.key.pem" ||
         property == "sasl.oauthbearer.config";
}

std::string nearest(std::string_view key, std::span<const std::string> known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3);
  for (const std::string& candidate : known) {
    const std::size_t away = distance(key.substr(0, 200), candidate);
    if (away > best_distance || (away == best_distance && !best.empty())) continue;
    best = candidate;
    best_distance = away;
  }
  return best;
}

std::vector<std::string> keys_with_name(std::string_view name) {
  std::vector<std::string> keys;
  for (const KeySchema& schema : kSchema)
    if (schema.key.back() != '*') keys.push_back(KeyReference{&schema, std::string(name)}.text());
  return keys;
}

static std::string as_code(const std::string& text) { return "`" + text + "`"; }

std::string configuration_reference() {
  std::string text = "| Key | Default | Takes | What it is |\n|---|---|---|---|\n";
  for (const KeySchema& schema : kSchema) {
    std::string fallback(schema.fallback);
    if (!fallback.empty() && fallback.front() != '(') fallback = as_code(fallback);
    if (fallback.starts_with('(')) fallback = fallback.substr(1, fallback.size() - 2);
    if (fallback.find('<') != std::string::npos) fallback = as_code(fallback);
    text.append("| `").append(schema.key).append("`").append(schema.secret ? " (secret)" : "").append(" | ");
    text.append(fallback).append(" | ").append(what_it_takes(schema)).append(" | ").append(schema.doc);
    text.append(" |\n");
  }
  return text;
}

}  // namespace skald::app
