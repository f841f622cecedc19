// Delivering and waiting.
#include "engine/mailbox.hpp"

#include <algorithm>

#include "ports/footprint.hpp"

namespace skald::engine {

std::string Mailbox::key(std::string_view source, std::string_view id) {
  std::string key(source);
  key += '\n';
  return key.append(id);
}

void Mailbox::note_seen(const std::string& key) { seen_.emplace(key, ++delivered_); }

std::vector<std::string> Mailbox::newest_seen(std::size_t maximum) const {
  std::vector<std::pair<std::uint64_t, const std::string*>> all;
  all.reserve(seen_.size());
  for (const auto& [key, number] : seen_) all.emplace_back(number, &key);
  std::sort(all.begin(), all.end());
  const std::size_t first = all.size() - std::min(all.size(), maximum);
  std::vector<std::string> newest;
  newest.reserve(all.size() - first);
  for (std::size_t index = first; index < all.size(); ++index) newest.push_back(*all[index].second);
  return newest;
}

void Mailbox::deliver(std::string key, const std::string& name, const std::string& data) {
  note_seen(key);
  while (first_open_ < waits_.size() && (waits_[first_open_]->arrived || waits_[first_open_]->cancelled))
    ++first_open_;
  for (std::size_t index = first_open_; index < waits_.size(); ++index) {
    detail::SignalSlot& wait = *waits_[index];
    if (wait.arrived || wait.cancelled || wait.name != name) continue;
    wait.arrived = true;
    wait.data = data;
    return;
  }
  unread_[name].push_back({delivered_, std::move(key), data});
  ++unread_count_;
}

detail::SignalSlot& Mailbox::expect(std::string_view name) {
  detail::SignalSlot& wait = *waits_.emplace_back(std::make_unique<detail::SignalSlot>());
  wait.name = name;
  const auto kept = unread_.find(name);
  if (kept == unread_.end() || kept->second.empty()) return wait;
  wait.arrived = true;
  wait.data = std::move(kept->second.front().data);
  kept->second.pop_front();
  --unread_count_;
  return wait;
}

void Mailbox::forget_waits(std::size_t kept) {
  waits_.resize(std::min(kept, waits_.size()));
  first_open_ = std::min(first_open_, waits_.size());
}

std::size_t Mailbox::memory_bytes() const {
  constexpr std::size_t kNodeBytes = 4 * sizeof(void*);
  std::size_t bytes = block_bytes(waits_.capacity() * sizeof(void*));
  for (const auto& wait : waits_)
    bytes += block_bytes(sizeof(detail::SignalSlot)) + heap_bytes(wait->name) + heap_bytes(wait->data);
  for (const auto& [name, signals] : unread_) {
    bytes += block_bytes(sizeof(std::pair<std::string, std::deque<Unread>>) + kNodeBytes) + 1024;
    for (const Unread& signal : signals)
      bytes += sizeof(Unread) + heap_bytes(signal.key) + heap_bytes(signal.data);
  }
  for (const auto& [key, number] : seen_)
    bytes += block_bytes(sizeof(std::pair<std::string, std::uint64_t>) + kNodeBytes) + heap_bytes(key);
  return bytes;
}

}  // namespace skald::engine
