// Publishing in batches and counting acknowledgements; unknown outcomes are sent again under the same id.
#include "publisher.hpp"

#include "log.hpp"
#include "wire/dead_letter.hpp"

namespace skald::participant::detail {
namespace {

std::size_t bytes_of(const Record& record) {
  std::size_t bytes = record.value.value_or("").size() + record.key.value_or("").size();
  for (const auto& header : record.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

}  // namespace

Publisher::Publisher(Producer& producer) : producer_(producer) {}
Publisher::~Publisher() = default;

void Publisher::publish(std::vector<Outgoing> messages, std::vector<Record> records,
                        std::vector<ReadPosition> next) {
  const auto number = first_number_ + batches_.size();
  auto& batch = batches_.emplace_back();
  batch.messages = std::move(messages);
  batch.records = std::move(records);
  batch.next = std::move(next);
  batch.open = batch.messages.size();
  for (const auto& record : batch.records) batch.bytes += 2 * bytes_of(record);
  bytes_ += batch.bytes;
  for (std::size_t index = 0; index < batch.messages.size(); ++index)
    if (!offer(number, batch, index)) batch.unsent.push_back(index);
}

bool Publisher::offer(std::uint64_t number, Batch& batch, std::size_t message) {
  const auto result =
      producer_.produce(batch.messages[message].message,
                        [mailbox = mailbox_, number, message](Delivery delivery, const std::string& reason) {
                          const std::lock_guard lock(mailbox->mutex);
                          mailbox->answers.push_back({number, message, delivery, reason});
                          mailbox->arrived.notify_one();
                        });
  if (result || result.error().kind == ErrorKind::kUnavailable || result.error().kind == ErrorKind::kRetry)
    return result.ok();
  refused(batch, message, result.error().message);
  return batch.messages[message].message.topic.empty();  // given up
}

void Publisher::work() {
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(mailbox_->mutex);
    answers.swap(mailbox_->answers);
  }
  for (const auto& answer : answers) handle(answer);
  for (std::size_t place = 0; place < batches_.size(); ++place) {
    auto& batch = batches_[place];
    if (batch.unsent.empty()) continue;
    std::vector<std::size_t> unsent;
    unsent.swap(batch.unsent);
    for (const auto message : unsent)
      if (!offer(first_number_ + place, batch, message)) batch.unsent.push_back(message);
  }
}

void Publisher::handle(const Answer& answer) {
  if (answer.batch < first_number_ || answer.batch - first_number_ >= batches_.size()) return;
  auto& batch = batches_[answer.batch - first_number_];
  switch (answer.delivery) {
    case Delivery::kAcknowledged: --batch.open; return;
    case Delivery::kUnknown: batch.unsent.push_back(answer.message); return;
    case Delivery::kRefused:
      refused(batch, answer.message, answer.reason);
      if (!batch.messages[answer.message].message.topic.empty()) batch.unsent.push_back(answer.message);
      return;
  }
}

/// The message is replaced by a dead letter of its command; a dead letter that is refused as well is given up (its
/// topic is emptied), since the record is still where the log line says.
void Publisher::refused(Batch& batch, std::size_t message, const std::string& reason) {
  auto& outgoing = batch.messages[message];
  const auto& record = batch.records.at(outgoing.record);
  log_error("Kafka refused a message for good", {{"topic", outgoing.message.topic},
                                                 {"reason", reason},
                                                 {"from_topic", record.topic},
                                                 {"from_partition", std::to_string(record.partition)},
                                                 {"from_offset", std::to_string(record.offset)}});
  if (outgoing.is_dead_letter &&
      outgoing.message.partition) {  // its topic has fewer partitions than the command's
    outgoing.message.partition.reset();
    return;
  }
  if (outgoing.is_dead_letter) {
    outgoing.message.topic.clear();
    --batch.open;
    return;
  }
  ++refused_replies_;
  outgoing.message = wire::dead_letter(record, "SKALD-312", "its reply was refused: " + reason);
  outgoing.is_dead_letter = true;
}

std::vector<ReadPosition> Publisher::take_acknowledged() {
  std::vector<ReadPosition> positions;
  while (!batches_.empty() && batches_.front().open == 0) {
    auto& batch = batches_.front();
    positions.insert(positions.end(), batch.next.begin(), batch.next.end());
    bytes_ -= batch.bytes;
    batches_.pop_front();
    ++first_number_;
  }
  return positions;
}

void Publisher::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mailbox_->mutex);
  mailbox_->arrived.wait_for(lock, timeout, [this] { return !mailbox_->answers.empty(); });
}

}  // namespace skald::participant::detail
