// Reading a range: directly assigned partitions, each until its end.
#include "app/record_range.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "app/config_text.hpp"
#include "app/config_values.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

using Offsets = std::vector<std::optional<std::int64_t>>;
constexpr std::chrono::milliseconds kPatience{10'000};
constexpr std::chrono::milliseconds kPoll{200};
constexpr std::chrono::seconds kSilence{30};     ///< without Kafka
constexpr std::chrono::seconds kNothingMore{5};  ///< a log's last offsets may hold no records
constexpr std::size_t kBatch = 500;

class Starts final : public RebalanceListener {
 public:
  explicit Starts(const std::vector<PartitionRange>& ranges) : ranges_(ranges) {}
  std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& /*partitions*/) override {
    std::vector<PartitionOffset> starts;
    starts.reserve(ranges_.size());
    for (const PartitionRange& range : ranges_)
      if (range.begin < range.end) starts.push_back({range.partition, range.begin});
    return starts;
  }
  void revoked(const std::vector<TopicPartition>& /*partitions*/) override {}
  void failed(const TopicPartition& partition, const std::string& reason) override {
    failure_ = partition.topic + "[" + std::to_string(partition.partition) + "]: " + reason;
  }
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  const std::vector<PartitionRange>& ranges_;
  std::string failure_;
};

Error no_such(const RangeSpec& spec, std::int32_t partitions) {
  std::string text = "topic '" + printable(spec.topic) + "' ";
  text += partitions == 0 ? "is not there"
                          : "has partitions 0 to " + std::to_string(partitions - 1) + ", and no partition " +
                                std::to_string(*spec.partition);
  return Error{ErrorKind::kInvalid, "SKALD-205", std::move(text)};
}

Result<std::vector<TopicPartition>> partitions_of(Bus& bus, const RangeSpec& spec) {
  const std::array<std::string, 1> topics{spec.topic};
  const auto counts = bus.partition_counts(topics, kPatience);
  if (!counts) return counts.error();
  const auto found = counts->find(spec.topic);
  const std::int32_t count = found == counts->end() ? 0 : found->second;
  if (count == 0 || spec.partition.value_or(0) >= count) return no_such(spec, count);
  std::vector<TopicPartition> partitions;
  for (std::int32_t number = 0; number < count; ++number)
    if (!spec.partition || *spec.partition == number) partitions.push_back({spec.topic, number});
  return partitions;
}

/// `begin` and `end` as asked for, within what the log holds.
PartitionRange clamp(const TopicPartition& partition, const LogRange& log,
                     const std::optional<std::int64_t>& begin, const std::optional<std::int64_t>& end) {
  PartitionRange range{partition, begin.value_or(log.start), std::min(end.value_or(log.end), log.end), 0};
  if (range.begin < log.start) {
    range.gone = std::max<std::int64_t>(std::min(log.start, range.end) - range.begin, 0);
    range.begin = log.start;
  }
  range.end = std::max(range.end, range.begin);
  return range;
}

/// How far each partition has been read, and how far it is to be.
class Progress {
 public:
  explicit Progress(const std::vector<PartitionRange>& ranges) {
    for (const PartitionRange& range : ranges)
      if (range.begin < range.end) left_[range.partition] = {range.begin, range.end};
  }
  [[nodiscard]] bool done() const {
    return std::all_of(left_.begin(), left_.end(),
                       [](const auto& one) { return one.second.next >= one.second.end; });
  }
  /// Those that lie before the ends.
  std::vector<Record> take(std::vector<Record> records) {
    std::vector<Record> wanted;
    wanted.reserve(records.size());
    for (Record& record : records) {
      const auto place = left_.find({record.topic, record.partition});
      if (place == left_.end()) continue;
      place->second.next = record.offset + 1;
      if (record.offset < place->second.end) wanted.push_back(std::move(record));
    }
    return wanted;
  }

 private:
  struct Place {
    std::int64_t next = 0;
    std::int64_t end = 0;
  };
  std::map<TopicPartition, Place> left_;
};

}  // namespace

Result<void> read_times(const std::string& from, const std::string& to, RangeSpec& spec) {
  const auto read = [](const std::string& text, std::optional<Time>& time) {
    if (text.empty()) return true;
    const auto parsed = wire::parse_time(text);
    if (parsed) time = *parsed;
    return static_cast<bool>(parsed);
  };
  if (read(from, spec.from) && read(to, spec.to)) return {};
  return Error{ErrorKind::kInvalid, kCodeUsage, "--from and --to take times like 2026-11-22T00:00:00Z"};
}

Result<std::vector<PartitionRange>> locate(Bus& bus, const RangeSpec& spec) {
  const auto partitions = partitions_of(bus, spec);
  if (!partitions) return partitions.error();
  const std::vector<PartitionRange> none;
  Starts nowhere(none);
  const auto consumer = bus.consumer({{spec.topic}, "", true}, nowhere);
  if (!consumer) return consumer.error();
  const auto offsets_at = [&](const std::optional<Time>& time,
                              const std::optional<std::int64_t>& given) -> Result<Offsets> {
    if (!time) return Offsets(partitions->size(), given);
    return (*consumer)->offsets_at(*partitions, *time, kPatience);
  };
  const auto from = offsets_at(spec.from, spec.from_offset);
  if (!from) return from.error();
  const auto to = offsets_at(spec.to, spec.to_offset);
  if (!to) return to.error();
  std::vector<PartitionRange> ranges;
  ranges.reserve(partitions->size());
  for (std::size_t index = 0; index < partitions->size(); ++index) {
    const auto log = (*consumer)->log_range((*partitions)[index], kPatience);
    if (!log) return log.error();
    ranges.push_back(clamp((*partitions)[index], *log, (*from)[index], (*to)[index]));
  }
  return ranges;
}

Result<void> read_ranges(Bus& bus, const Clock& clock, const std::vector<PartitionRange>& ranges,
                         const std::function<Result<void>(std::vector<Record>)>& take) {
  Progress progress(ranges);
  if (progress.done()) return {};
  Starts starts(ranges);
  const auto consumer = bus.consumer({{ranges.front().partition.topic}, "", true}, starts);
  if (!consumer) return consumer.error();
  auto heard = clock.monotonic(), got = heard;
  while (!progress.done()) {
    auto records = (*consumer)->poll(kBatch, kPoll);
    const auto now = clock.monotonic();
    if (!starts.failure().empty()) return Error{ErrorKind::kRefused, "SKALD-205", starts.failure()};
    if (!records) {
      if (now - heard > kSilence) return records.error();
      continue;
    }
    heard = now;
    if (records->empty()) {
      if (now - got > kNothingMore) return {};
      continue;
    }
    auto wanted = progress.take(std::move(*records));
    if (!wanted.empty())
      if (auto taken = take(std::move(wanted)); !taken) return taken;
    heard = got = clock.monotonic();
  }
  return {};
}

}  // namespace skald::app
