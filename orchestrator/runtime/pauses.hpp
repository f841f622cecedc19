// Pauses: what is paused, as the timekeeper last read it. Thread-safe: whoever asks gets a set that stays as it is.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "ports/pause.hpp"

namespace skald::runtime {

class Pauses {
 public:
  /// Never null.
  [[nodiscard]] std::shared_ptr<const PauseSet> now() const {
    const std::scoped_lock lock(mutex_);
    return set_;
  }
  void tell(PauseSet set) {
    const std::scoped_lock lock(mutex_);
    set_ = std::make_shared<const PauseSet>(std::move(set));
  }

 private:
  mutable std::mutex mutex_;  ///< guards set_
  std::shared_ptr<const PauseSet> set_ = std::make_shared<const PauseSet>();
};

}  // namespace skald::runtime
