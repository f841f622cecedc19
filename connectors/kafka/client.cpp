// Properties that are fixed, properties with a default of ours, and what errors mean.
#include "kafka/client.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <future>
#include <string_view>
#include <thread>
#include <utility>

namespace skald::kafka {
namespace {

constexpr int kWarningSeverity = 4;
constexpr int kNoticeSeverity = 5;
constexpr std::chrono::seconds kDestroyPatience{3};
/// What is under way while the queue fills comes on top of it.
constexpr int kMaximumFetchKilobytes = 4 * 1024;

struct Fixed {
  std::string_view name;
  std::string_view value;  ///< the only one accepted; empty: none is
  std::string_view reason;
};

// Skald's promises rest on these; docs/kafka.md has the same table with longer reasons.
constexpr std::array kFixed{
    Fixed{"partition.assignment.strategy", "range",
          "cooperative rebalances of librdkafka 2.0.2 lose assignments"},
    Fixed{"group.protocol", "classic", "only the classic protocol has the eager range assignor"},
    Fixed{"enable.auto.commit", "false", "positions are recorded in the database first"},
    Fixed{"auto.commit.enable", "false", "positions are recorded in the database first"},
    Fixed{"enable.auto.offset.store", "false", "positions are recorded in the database first"},
    Fixed{"auto.offset.reset", "error", "a reset would skip or repeat records silently"},
    Fixed{"enable.partition.eof", "false", "ends of partitions are read from the fetch answers"},
    Fixed{"enable.idempotence", "true", "without it a retry writes twice or out of order"},
    Fixed{"acks", "all", "a command counts as sent only once all in-sync replicas have it"},
    Fixed{"request.required.acks", "all", "a command counts as sent only once all in-sync replicas have it"},
    Fixed{"partitioner", "murmur2_random", "a saga id must land where the JVM clients put it"},
    Fixed{"transactional.id", "", "Skald uses no Kafka transactions"},
    Fixed{"group.id", "", "the group has a key of its own"},
    Fixed{"bootstrap.servers", "", "kafka.bootstrap_servers is its key"},
    Fixed{"metadata.broker.list", "", "kafka.bootstrap_servers is its key"},
    Fixed{"client.id", "", "kafka.client_id is its key"},
    Fixed{"group.instance.id", "", "kafka.instance_id is its key"},
};

class Configuration {
 public:
  Configuration() : conf_(rd_kafka_conf_new()) {}

  void set(const std::string& name, const std::string& value) {
    if (!problem_.empty()) return;
    std::array<char, 512> text{};
    if (rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), text.data(), text.size()) !=
        RD_KAFKA_CONF_OK)
      problem_ = "kafka.properties." + name + ": " + text.data();
  }
  void set(const std::string& name, int value) { set(name, std::to_string(value)); }

  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] rd_kafka_conf_t* get() const { return conf_.get(); }
  void release() { static_cast<void>(conf_.release()); }

 private:
  Owned<rd_kafka_conf_t> conf_;
  std::string problem_;
};

Result<void> refuse_fixed(const Options& options) {
  for (const auto& [name, value] : options.properties)
    for (const auto& fixed : kFixed)
      if (name == fixed.name && (fixed.value.empty() || value != fixed.value))
        return Error{ErrorKind::kRefused, "SKALD-201",
                     "kafka.properties." + name + " cannot be set: " + std::string(fixed.reason)};
  return {};
}

/// As configured; what cannot be read librdkafka finds fault with.
int property(const Options& options, const char* name, int fallback) {
  const auto given = options.properties.find(name);
  if (given == options.properties.end()) return fallback;
  int value = 0;
  const char* end = given->second.data() + given->second.size();
  const auto parsed = std::from_chars(given->second.data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end ? value : fallback;
}

/// librdkafka asks that the largest message fit into a fetch.
int fetch_bytes(const Options& options) {
  return std::max(std::min(options.fetch_queue_kilobytes, kMaximumFetchKilobytes) * 1024,
                  property(options, "message.max.bytes", 0));
}

void set_common(Configuration& configuration, const Options& options) {
  configuration.set("bootstrap.servers", options.bootstrap_servers);
  configuration.set("client.id", options.client_id);
  configuration.set("log.connection.close", "false");  // idle connections close; that is no news
  configuration.set("socket.nagle.disable", "true");   // a reply waits for nothing
  configuration.set("reconnect.backoff.max.ms", 3'000);
  configuration.set("topic.metadata.refresh.interval.ms", 10'000);
}

void set_consumer(Configuration& configuration, const Options& options, const std::string& group) {
  const int session_timeout = session_timeout_ms(options);
  configuration.set("group.id", group);
  if (!options.instance_id.empty()) configuration.set("group.instance.id", options.instance_id);
  configuration.set("session.timeout.ms", session_timeout);
  configuration.set("heartbeat.interval.ms", std::clamp(session_timeout / 3, 1, 3'000));
  configuration.set("max.poll.interval.ms", std::max(options.maximum_poll_interval_ms, session_timeout));
  configuration.set("queued.min.messages", options.fetch_queue_messages);
  configuration.set("queued.max.messages.kbytes", options.fetch_queue_kilobytes);
  // A partition that is resumed or sought waits for the fetch under way: keep that short.
  configuration.set("fetch.wait.max.ms", 100);
  configuration.set("fetch.max.bytes", fetch_bytes(options));
  configuration.set("allow.auto.create.topics", "false");
}

void set_producer(Configuration& configuration, const Options& options) {
  configuration.set("queue.buffering.max.messages", options.producer_queue_messages);
  configuration.set("queue.buffering.max.kbytes", options.producer_queue_kilobytes);
  configuration.set("queue.buffering.max.ms", "0.1");
  // As large as brokers take by default: a dead letter is a little larger than what it carries.
  configuration.set("message.max.bytes", 1'048'576);
  // Longer than a broker's restart: giving up early only makes duplicates.
  configuration.set("message.timeout.ms", 120'000);
  configuration.set("topic.metadata.propagation.max.ms", 10'000);
}

void fix(Configuration& configuration, Role role) {
  if (role == Role::kConsumer) {
    configuration.set("partition.assignment.strategy", "range");
    configuration.set("enable.auto.commit", "false");
    configuration.set("enable.auto.offset.store", "false");
    configuration.set("auto.offset.reset", "error");
    configuration.set("enable.partition.eof", "false");
  } else if (role == Role::kProducer) {
    configuration.set("enable.idempotence", "true");
    configuration.set("acks", "all");
    configuration.set("partitioner", "murmur2_random");
  }
}

CallbackTarget& target_of(void* opaque) { return *static_cast<CallbackTarget*>(opaque); }

void on_log(const rd_kafka_t* client, int severity, const char* facility, const char* line) {
  // One set of properties serves consumers and producers; that each ignores the other's is no news.
  if (std::string_view(facility) == "CONFWARN") return;
  target_of(rd_kafka_opaque(client)).log(severity, std::string("kafka ") + facility + ": " + line);
}

void on_error(rd_kafka_t* client, int code, const char* reason, void* opaque) {
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  std::string text = reason;
  if (error == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> detail{};
    const auto cause = rd_kafka_fatal_error(client, detail.data(), detail.size());
    text = std::string(rd_kafka_err2name(cause)) + ": " + detail.data();
  }
  target_of(opaque).events->on_error(error, text);
}

void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
                  void* opaque) {
  target_of(opaque).events->on_rebalance(code, *partitions);
}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  target_of(opaque).events->on_delivery(*message);
}

Result<Configuration> configure(const Options& options, Role role, const std::string& group) {
  if (auto fixed = refuse_fixed(options); !fixed) return fixed.error();
  if (options.bootstrap_servers.empty())
    return Error{ErrorKind::kRefused, "SKALD-202", "kafka.bootstrap_servers is empty"};
  Configuration configuration;
  set_common(configuration, options);
  if (role == Role::kConsumer) set_consumer(configuration, options, group);
  if (role == Role::kProducer) set_producer(configuration, options);
  // Who asks wants to know why a broker hung up: mostly it expects another security.protocol.
  if (role == Role::kQuestions) configuration.set("log.connection.close", "true");
  for (const auto& [name, value] : options.properties) configuration.set(name, value);
  fix(configuration, role);
  if (!configuration.problem().empty())
    return Error{ErrorKind::kRefused, "SKALD-202", configuration.problem()};
  return configuration;
}

}  // namespace

int session_timeout_ms(const Options& options) {
  return property(options, "session.timeout.ms", options.session_timeout_ms);
}

std::size_t memory_bound(const Options& options) {
  // librdkafka's own share of a record, and what it does not count of it: key and headers.
  constexpr std::size_t kRecordBytes = 1'500;
  constexpr std::size_t kBrokers = 3;
  constexpr std::size_t kRequestBytes = 8u << 20;  // five of a MiB each are under way; the rest are answers
  const auto of = [&options](const char* name, int fallback) {
    return static_cast<std::size_t>(std::max(property(options, name, fallback), 0));
  };
  return of("queued.max.messages.kbytes", options.fetch_queue_kilobytes) * 1024 +
         of("queued.min.messages", options.fetch_queue_messages) * kRecordBytes +
         of("fetch.max.bytes", fetch_bytes(options)) * kBrokers + options.maximum_poll_bytes + kRequestBytes;
}

Log log_of(const Options& options) {
  if (options.log) return options.log;
  return [](int severity, const std::string& line) {
    if (severity <= kNoticeSeverity) std::fprintf(stderr, "%s\n", line.c_str());
  };
}

Result<Owned<rd_kafka_t>> start_client(const Options& options, Role role, const std::string& group,
                                       const std::shared_ptr<CallbackTarget>& target) {
  auto configuration = configure(options, role, group);
  if (!configuration) return configuration.error();
  auto* conf = configuration->get();
  rd_kafka_conf_set_opaque(conf, target.get());
  rd_kafka_conf_set_log_cb(conf, on_log);
  rd_kafka_conf_set_error_cb(conf, on_error);
  if (role == Role::kConsumer) rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
  if (role == Role::kProducer) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  std::array<char, 512> text{};
  const auto type = role == Role::kConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
  Owned<rd_kafka_t> client(rd_kafka_new(type, conf, text.data(), text.size()));
  if (!client) return Error{ErrorKind::kRefused, "SKALD-202", std::string("kafka: ") + text.data()};
  configuration->release();  // the client owns it now
  return client;
}

void CallbackTarget::log(int severity, const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (log_) log_(severity, line);
}

void CallbackTarget::mute() {
  const std::lock_guard lock(mutex_);
  log_ = nullptr;
}

void destroy_client(Owned<rd_kafka_t> client, std::shared_ptr<CallbackTarget> target, int flags) {
  if (!client) return;
  std::promise<void> destroyed;
  auto wait = destroyed.get_future();
  std::thread([raw = client.release(), target, flags, destroyed = std::move(destroyed)]() mutable {
    rd_kafka_destroy_flags(raw, flags);
    target.reset();
    destroyed.set_value();
  }).detach();
  if (wait.wait_for(kDestroyPatience) == std::future_status::ready) return;
  target->log(kWarningSeverity,
              "kafka: a client does not end and is left behind; a topic it read was deleted");
  target->mute();
}

Result<void> check(const Options& options) {
  struct Silent final : ClientEvents {
    void on_error(rd_kafka_resp_err_t, const std::string&) override {}
  } silent;
  const auto target = std::make_shared<CallbackTarget>(&silent, Log());
  // Some combinations are judged only when a client starts; this one has nobody to connect to.
  auto unreachable = options;
  if (!unreachable.bootstrap_servers.empty()) unreachable.bootstrap_servers = "127.0.0.1:1";
  for (const auto role : {Role::kConsumer, Role::kProducer})
    if (auto client = start_client(unreachable, role, "check", target); !client) return client.error();
  return {};
}

bool is_authentication(rd_kafka_resp_err_t code, const std::string& reason) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__SSL:
      // A connection cut in the handshake says nothing about certificates: a proxy does that while its broker starts.
      return reason.find("unexpected eof") == std::string::npos &&
             reason.find("Disconnected") == std::string::npos;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE: return true;
    default: return false;
  }
}

Error to_error(rd_kafka_resp_err_t code, const std::string& doing, const std::string& reason) {
  const std::string text = doing + ": " + (reason.empty() ? rd_kafka_err2str(code) : reason);
  if (is_authentication(code, text)) return {ErrorKind::kRefused, "SKALD-204", text};
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return {ErrorKind::kRefused, "SKALD-205", text};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG: return {ErrorKind::kRefused, "SKALD-208", text};
    default: return {ErrorKind::kUnavailable, "SKALD-203", text};
  }
}

Delivery classify(rd_kafka_resp_err_t code, rd_kafka_msg_status_t status) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return Delivery::kAcknowledged;
  if (status == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED) return Delivery::kUnknown;
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION: return Delivery::kRefused;
    default: return Delivery::kUnknown;
  }
}

}  // namespace skald::kafka
