// Holding commands, letting them go in turn, and telling how far the partitions are.
#include "backlog.hpp"

#include <algorithm>
#include <utility>

#include "ports/footprint.hpp"

namespace skald::participant::detail {
namespace {

bool is_of(const Record& record, const TopicPartition& partition) {
  return record.partition == partition.partition && record.topic == partition.topic;
}

}  // namespace

void Work::join(Work more) {
  const auto offset = records.size();
  for (auto& record : more.records) records.push_back(std::move(record));
  for (auto& command : more.commands) commands.push_back(std::move(command));
  for (const auto index : more.command_records) command_records.push_back(offset + index);
  for (const auto& ticket : more.tickets) tickets.push_back(ticket);
  for (auto& letter : more.dead_letters) {
    letter.record += offset;
    dead_letters.push_back(std::move(letter));
  }
  for (auto& saga : more.ended_sagas) ended_sagas.push_back(std::move(saga));
}

void Work::add(Record record, wire::Command command, CommandLimits::Ticket ticket) {
  command_records.push_back(records.size());
  records.push_back(std::move(record));
  commands.push_back(std::move(command));
  tickets.push_back(ticket);
}

Work Backlog::admit(Work arrived, CommandLimits::Now now) {
  auto last = partitions_.end();
  for (const auto& record : arrived.records) {
    if (last == partitions_.end() || !is_of(record, last->first))
      last = partitions_.try_emplace({record.topic, record.partition}).first;
    auto& open = last->second;
    if (!open.empty() && record.offset <= open.back().offset) open.clear();  // read anew
    open.push_back({record.offset, nullptr, {}});
  }
  if (!limits_.any()) {
    arrived.tickets.resize(arrived.commands.size());
    return arrived;
  }
  Work admitted;
  std::vector<bool> is_command(arrived.records.size());
  for (std::size_t index = 0; index < arrived.commands.size(); ++index) {
    auto& command = arrived.commands[index];
    const auto place = arrived.command_records[index];
    is_command[place] = true;
    const auto ticket = held_.contains(command.step) ? std::nullopt : limits_.start(command.step, now);
    if (ticket)
      admitted.add(std::move(arrived.records[place]), std::move(command), *ticket);
    else
      hold(std::move(arrived.records[place]), std::move(command), false);
  }
  std::vector<std::size_t> moved(arrived.records.size());
  for (std::size_t index = 0; index < arrived.records.size(); ++index) {
    if (is_command[index]) continue;
    moved[index] = admitted.records.size();
    admitted.records.push_back(std::move(arrived.records[index]));
  }
  admitted.dead_letters = std::move(arrived.dead_letters);
  for (auto& letter : admitted.dead_letters) letter.record = moved[letter.record];
  admitted.ended_sagas = std::move(arrived.ended_sagas);
  count();
  return admitted;
}

/// One command of each step in turn, so that a step with many does not take what is common to all.
Work Backlog::release(CommandLimits::Now now) {
  Work released;
  bool progress = true;
  while (progress) {
    progress = false;
    auto next = held_.upper_bound(turn_);
    for (auto steps = held_.size(); steps > 0 && released.commands.size() < maximum_batch_; --steps) {
      if (next == held_.end()) next = held_.begin();  // there is one: each step is looked at once
      const auto place = next++;
      const auto ticket = limits_.start(place->first, now);
      if (!ticket) continue;
      progress = true;
      turn_ = place->first;
      auto& held = place->second.front();
      bytes_ -= held.bytes;
      const auto partition = held_by_partition_.find({held.record.topic, held.record.partition});
      if (--partition->second == 0) held_by_partition_.erase(partition);
      released.add(std::move(held.record), std::move(held.command), *ticket);
      place->second.pop_front();
      if (place->second.empty()) held_.erase(place);
    }
  }
  count();
  return released;
}

void Backlog::give_back(Record record, wire::Command command) {
  hold(std::move(record), std::move(command), true);
  count();
}

void Backlog::hold(Record record, wire::Command command, bool first) {
  const auto bytes = memory_bytes(record) + command.data.size();
  bytes_ += bytes;
  ++held_by_partition_[{record.topic, record.partition}];
  auto& queue = held_[command.step];
  Held held{std::move(record), std::move(command), bytes};
  if (first)
    queue.push_front(std::move(held));
  else
    queue.push_back(std::move(held));
}

void Backlog::count() {
  std::size_t waiting = 0;
  for (const auto& [step, queue] : held_) waiting += queue.size();
  statistics_.waiting = waiting;
}

std::vector<ReadPosition> Backlog::finish(std::span<const Record> records,
                                          const std::set<std::size_t>& given_back) {
  std::set<Partitions::value_type*> touched;
  auto last = partitions_.end();
  for (std::size_t index = 0; index < records.size(); ++index) {
    const auto& record = records[index];
    if (!given_back.empty() && given_back.contains(index)) continue;
    if (last == partitions_.end() || !is_of(record, last->first)) {
      last = partitions_.find({record.topic, record.partition});
      if (last == partitions_.end()) continue;
      touched.insert(&*last);
    }
    auto& all = last->second;
    const auto open = std::lower_bound(
        all.begin(), all.end(), record.offset,
        [](const Open& candidate, std::int64_t offset) { return candidate.offset < offset; });
    if (open != all.end() && open->offset == record.offset) open->just_done = &record;
  }
  std::vector<ReadPosition> positions;
  for (auto* partition : touched)
    if (auto position = advance(*partition)) positions.push_back(std::move(*position));
  return positions;
}

std::optional<ReadPosition> Backlog::advance(Partitions::value_type& named) {
  auto& [name, partition] = named;
  const auto done = [](const Open& open) { return open.just_done != nullptr || open.checksum; };
  const auto checksum = [](const Open& open) {
    return open.just_done != nullptr ? checksum_of(*open.just_done) : *open.checksum;
  };
  const auto first_open = std::find_if_not(partition.begin(), partition.end(), done);
  std::optional<ReadPosition> position;
  if (first_open != partition.begin()) {
    const Open& last = *std::prev(first_open);
    position = ReadPosition{{name, last.offset + 1}, checksum(last)};
    partition.erase(partition.begin(), first_open);
  }
  for (Open& open : partition)
    if (open.just_done != nullptr) open.checksum = checksum_of(*std::exchange(open.just_done, nullptr));
  return position;
}

void Backlog::forget() {
  held_.clear();
  held_by_partition_.clear();
  bytes_ = 0;
  partitions_.clear();
  count();
}

std::set<TopicPartition> Backlog::partitions() const {
  std::set<TopicPartition> partitions;
  for (const auto& [partition, held] : held_by_partition_) partitions.insert(partition);
  return partitions;
}

bool Backlog::holds_any(const std::set<TopicPartition>& partitions) const {
  return std::any_of(partitions.begin(), partitions.end(),
                     [this](const auto& partition) { return held_by_partition_.contains(partition); });
}

std::optional<CommandLimits::Now> Backlog::next_start(CommandLimits::Now now) const {
  std::optional<CommandLimits::Now> earliest;
  for (const auto& [step, queue] : held_)
    if (const auto next = limits_.next_start(step, now); next && (!earliest || *next < *earliest))
      earliest = next;
  return earliest;
}

}  // namespace skald::participant::detail
