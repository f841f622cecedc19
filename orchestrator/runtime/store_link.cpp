// Reaching the database, and waiting for it.
#include "runtime/store_link.hpp"

#include <algorithm>

namespace skald::runtime {

std::chrono::nanoseconds Backoff::next() {
  current_ = current_.count() == 0 ? initial_ : std::min(current_ * 2, maximum_);
  const std::chrono::nanoseconds whole = current_;
  const auto half = static_cast<std::uint64_t>(whole.count() / 2) + 1;
  return whole / 2 + std::chrono::nanoseconds(static_cast<std::int64_t>(random_.next() % half));
}

StoreLink::StoreLink(const Seams& seams, const Settings& settings, std::string user)
    : seams_(seams), user_(std::move(user)), backoff_(settings, seams.random) {}

Session* StoreLink::session() {
  if (waiting()) return nullptr;
  if (session_) return session_.get();
  auto opened = seams_.store.open();
  if (!opened) {
    failed(opened.error());
    return nullptr;
  }
  session_ = std::move(opened).value();
  return session_.get();
}

void StoreLink::failed(const Error& error) {
  retry_at_ = seams_.clock.monotonic() + backoff_.next();
  if (error.kind != ErrorKind::kUnavailable && error.kind != ErrorKind::kRefused) return;
  seams_.observer.reached("store", false);
  if (away_.exchange(true)) return;
  seams_.logger.error("The database is away; waiting for it.",
                      {{"thread", user_}, {"code", error.code}, {"reason", error.message}});
}

void StoreLink::succeeded() {
  backoff_.reset();
  if (!away_.exchange(false)) return;
  seams_.observer.reached("store", true);
  seams_.logger.info("The database is back.", {{"thread", user_}});
}

}  // namespace skald::runtime
