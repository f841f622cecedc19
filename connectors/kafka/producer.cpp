// Messages go into librdkafka's queue; its delivery reports come back on our thread and become answers. A client
// with a fatal error answers what it holds with kUnknown and is replaced.
#include "kafka/producer.hpp"

#include <array>
#include <utility>
#include <vector>

namespace skald::kafka {
namespace {

constexpr int kPollPatienceMs = 50;
constexpr int kRetirePatienceMs = 5'000;
constexpr std::size_t kTopicHandlesLimit = 1'000;
constexpr int kErrorSeverity = 3;

Owned<rd_kafka_headers_t> make_headers(const std::vector<Header>& headers) {
  Owned<rd_kafka_headers_t> made(rd_kafka_headers_new(headers.size()));
  for (const auto& header : headers)
    rd_kafka_header_add(made.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value.data(), static_cast<ssize_t>(header.value.size()));
  return made;
}

rd_kafka_vu_t pointer_argument(rd_kafka_vtype_t type, const void* pointer, std::size_t size) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = const_cast<void*>(pointer);  // copied by librdkafka, never written to
  argument.u.mem.size = size;
  return argument;
}

/// The arguments of one produce call.
class Arguments {
 public:
  rd_kafka_vu_t& add(rd_kafka_vtype_t type) {
    auto& argument = arguments_[count_++];
    argument.vtype = type;
    return argument;
  }
  void add(rd_kafka_vtype_t type, const std::string& bytes) {
    arguments_[count_++] = pointer_argument(type, bytes.data(), bytes.size());
  }
  [[nodiscard]] const rd_kafka_vu_t* data() const { return arguments_.data(); }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  std::array<rd_kafka_vu_t, 7> arguments_{};
  std::size_t count_ = 0;
};

}  // namespace

// A topic's handle keeps what librdkafka knows about it; without one every message would look the topic up. Names
// can come from messages, so there is a limit; beyond it, null.
rd_kafka_topic_t* KafkaProducer::Client::topic(const std::string& name) {
  const std::lock_guard lock(mutex);
  const auto found = topics.find(name);
  if (found != topics.end()) return found->second.get();
  if (topics.size() >= kTopicHandlesLimit) return nullptr;
  Owned<rd_kafka_topic_t> made(rd_kafka_topic_new(handle.get(), name.c_str(), nullptr));
  if (!made) return nullptr;
  return topics.emplace(name, std::move(made)).first->second.get();
}

KafkaProducer::Client::~Client() {
  topics.clear();
  destroy_client(std::move(handle), target);
}

KafkaProducer::KafkaProducer(Options options)
    : options_(std::move(options)),
      target_(std::make_shared<CallbackTarget>(static_cast<ClientEvents*>(this), log_of(options_))) {}

KafkaProducer::~KafkaProducer() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  retire(std::exchange(client_, nullptr));
  answer_refusals();
}

Result<std::shared_ptr<KafkaProducer::Client>> KafkaProducer::make_client() {
  auto made = start_client(options_, Role::kProducer, "", target_);
  if (!made) return made.error();
  return std::make_shared<Client>(std::move(*made), target_);
}

Result<void> KafkaProducer::start() {
  auto made = make_client();
  if (!made) return made.error();
  client_ = std::move(*made);
  thread_ = std::thread([this] { run(); });
  return {};
}

std::shared_ptr<KafkaProducer::Client> KafkaProducer::current() {
  const std::lock_guard lock(mutex_);
  if (client_) ++unanswered_;
  return client_;
}

Result<void> KafkaProducer::produce(const Message& message, Callback callback) {
  const auto client = current();
  if (!client) return Error{ErrorKind::kUnavailable, "SKALD-207", "the producer is being built again"};
  auto waiting = std::make_unique<Callback>(std::move(callback));
  Arguments arguments;
  if (auto* topic = client->topic(message.topic); topic != nullptr)
    arguments.add(RD_KAFKA_VTYPE_RKT).u.rkt = topic;
  else
    arguments.add(RD_KAFKA_VTYPE_TOPIC).u.cstr = message.topic.c_str();
  arguments.add(RD_KAFKA_VTYPE_PARTITION).u.i32 = message.partition.value_or(RD_KAFKA_PARTITION_UA);
  arguments.add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  arguments.add(RD_KAFKA_VTYPE_OPAQUE).u.ptr = waiting.get();
  if (message.key) arguments.add(RD_KAFKA_VTYPE_KEY, *message.key);
  if (message.value) arguments.add(RD_KAFKA_VTYPE_VALUE, *message.value);
  auto headers = make_headers(message.headers);
  if (!message.headers.empty()) arguments.add(RD_KAFKA_VTYPE_HEADERS).u.headers = headers.get();
  const Owned<rd_kafka_error_t> error(
      rd_kafka_produceva(client->handle.get(), arguments.data(), arguments.size()));
  if (error) return take_refusal(rd_kafka_error_code(error.get()), std::move(*waiting));
  if (!message.headers.empty()) static_cast<void>(headers.release());  // librdkafka owns them now
  static_cast<void>(waiting.release());                                // on_delivery owns it now
  return {};
}

Result<void> KafkaProducer::take_refusal(rd_kafka_resp_err_t code, Callback callback) {
  const std::string reason = rd_kafka_err2str(code);
  const std::lock_guard lock(mutex_);
  if (classify(code, RD_KAFKA_MSG_STATUS_NOT_PERSISTED) == Delivery::kRefused) {
    refusals_.push_back({std::move(callback), reason});
    return {};
  }
  --unanswered_;
  settled_.notify_all();
  if (code == RD_KAFKA_RESP_ERR__FATAL) fatal_ = true;
  return Error{ErrorKind::kUnavailable, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? "SKALD-206" : "SKALD-207",
               reason};
}

bool KafkaProducer::flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return settled_.wait_for(lock, timeout, [this] { return unanswered_ == 0; });
}

void KafkaProducer::run() {
  std::shared_ptr<Client> client = client_;
  while (!stopping_) {
    if (client) rd_kafka_poll(client->handle.get(), kPollPatienceMs);
    answer_refusals();
    if (!fatal_) continue;
    client.reset();
    rebuild();
    const std::lock_guard lock(mutex_);
    client = client_;
  }
}

void KafkaProducer::answer_refusals() {
  std::deque<Refusal> refusals;
  {
    const std::lock_guard lock(mutex_);
    refusals.swap(refusals_);
  }
  for (const auto& refusal : refusals) {
    if (refusal.callback) refusal.callback(Delivery::kRefused, refusal.reason);
    answered();
  }
}

void KafkaProducer::answered() {
  const std::lock_guard lock(mutex_);
  if (--unanswered_ == 0) settled_.notify_all();
}

void KafkaProducer::on_delivery(const rd_kafka_message_t& message) {
  const std::unique_ptr<Callback> callback(static_cast<Callback*>(message._private));
  const auto delivery = classify(message.err, rd_kafka_message_status(&message));
  static const std::string kNoReason;
  if (*callback)
    (*callback)(delivery, delivery == Delivery::kAcknowledged ? kNoReason : rd_kafka_err2str(message.err));
  answered();
}

void KafkaProducer::on_error(rd_kafka_resp_err_t code, const std::string& reason) {
  if (code != RD_KAFKA_RESP_ERR__FATAL) return;  // the rest passes, and is in the log
  target_->log(kErrorSeverity, "kafka: the producer failed for good and is built again: " + reason);
  fatal_ = true;
}

void KafkaProducer::rebuild() {
  std::shared_ptr<Client> failed;
  {
    const std::lock_guard lock(mutex_);
    failed = std::exchange(client_, nullptr);
  }
  retire(std::move(failed));
  auto made = make_client();
  if (!made) {
    target_->log(kErrorSeverity, "kafka: " + made.error().message);
    return;  // fatal_ stays set: tried again after the next poll
  }
  const std::lock_guard lock(mutex_);
  client_ = std::move(*made);
  fatal_ = false;
}

void KafkaProducer::retire(std::shared_ptr<Client> client) {
  if (!client) return;
  auto* handle = client->handle.get();
  rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(handle, kRetirePatienceMs);
}

void KafkaProducer::raise_fatal_error() {
  const std::lock_guard lock(mutex_);
  if (client_)
    rd_kafka_test_fatal_error(client_->handle.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              "raised by a test");
}

}  // namespace skald::kafka
