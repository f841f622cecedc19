// Sessions of the API with one database: a few, opened when needed. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "api/answers.hpp"
#include "api/api.hpp"
#include "ports/store.hpp"

namespace skald::api {

/// A few sessions, opened when needed. take() waits for a free one, unless too many wait already.
class Api::Sessions {
 public:
  Sessions(Store& store, std::size_t maximum, std::size_t waiting)
      : store_(store), maximum_(maximum), waiting_limit_(waiting) {}

  template <class Work>
  auto with(Work work) -> decltype(work(std::declval<Session&>())) {
    std::unique_ptr<Session> session;
    {
      std::unique_lock lock(mutex_);
      if (used_ == maximum_ && waiting_ == waiting_limit_)
        return Error{ErrorKind::kUnavailable, kBusy, "too many requests at once; try again"};
      ++waiting_;
      free_.wait(lock, [this] { return used_ < maximum_; });
      --waiting_;
      ++used_;
      if (!idle_.empty()) {
        session = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    const Return back{*this, session};
    if (!session) {
      auto opened = store_.open();
      if (!opened) return opened.error();
      session = std::move(*opened);
    }
    return work(*session);
  }

 private:
  struct Return {
    Sessions& sessions;
    std::unique_ptr<Session>& session;
    ~Return() {
      const std::lock_guard lock(sessions.mutex_);
      if (session) sessions.idle_.push_back(std::move(session));
      --sessions.used_;
      sessions.free_.notify_one();
    }
  };

  Store& store_;
  const std::size_t maximum_, waiting_limit_;
  std::mutex mutex_;  ///< guards all below
  std::condition_variable free_;
  std::size_t used_ = 0, waiting_ = 0;
  std::vector<std::unique_ptr<Session>> idle_;
};

}  // namespace skald::api
