// Mailbox: the signals of one saga instance: those that came and nobody has taken, and those who wait, name by name in
// order. Filled by history alone, so that replay fills it the same way. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "skald/journal.hpp"

namespace skald::engine {

class Mailbox {
 public:
  /// What tells a signal from another: two texts as one key.
  [[nodiscard]] static std::string key(std::string_view source, std::string_view id);

  [[nodiscard]] bool seen(const std::string& key) const { return seen_.contains(key); }
  /// As if it had come; without a value for anyone.
  void note_seen(const std::string& key);
  /// The newest so many keys, oldest first.
  [[nodiscard]] std::vector<std::string> newest_seen(std::size_t maximum) const;

  struct Unread {
    std::uint64_t number = 0;  ///< in the order in which they came
    std::string key;
    std::string data;
  };
  /// Those nobody has taken, by name, in the order in which they came.
  [[nodiscard]] const std::map<std::string, std::deque<Unread>, std::less<>>& unread_signals() const {
    return unread_;
  }
  /// Gives it to the first who waits for it, or keeps it.
  void deliver(std::string key, const std::string& name, const std::string& data);
  /// A new wait, which takes the oldest signal of its name if there is one.
  detail::SignalSlot& expect(std::string_view name);

  [[nodiscard]] std::size_t waits() const { return waits_.size(); }
  /// Forgets the waits after the first so many.
  void forget_waits(std::size_t kept);
  [[nodiscard]] std::size_t unread() const { return unread_count_; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  std::vector<std::unique_ptr<detail::SignalSlot>> waits_;
  std::size_t first_open_ = 0;  ///< all before it have arrived or were cancelled
  std::map<std::string, std::deque<Unread>, std::less<>> unread_;
  std::uint64_t delivered_ = 0;
  std::size_t unread_count_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> seen_;  ///< with the order in which they came
};

}  // namespace skald::engine
