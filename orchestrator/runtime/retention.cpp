// A pass: the pages of histories, then those of rows.
#include "runtime/retention.hpp"

#include <map>

#include "engine/event.hpp"
#include "runtime/key_maker.hpp"

namespace skald::runtime {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::int64_t kRows = 20'000;  ///< of history, in one transaction
constexpr std::chrono::milliseconds kLease{60'000};
constexpr std::chrono::milliseconds kNow{0};
constexpr std::chrono::milliseconds kAway{1'000};

/// "<namespace>/<definition>/<saga id>", as a child's history names the saga at the top.
std::optional<SagaAddress> root_address(std::string_view root, const std::string& name_space) {
  if (!root.starts_with(name_space + '/')) return std::nullopt;
  root.remove_prefix(name_space.size() + 1);
  const std::size_t slash = root.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return SagaAddress{std::string(root.substr(0, slash)), std::string(root.substr(slash + 1))};
}

}  // namespace

Retention::Retention(Parts parts) : parts_(parts), link_(parts.seams, parts.settings, "retention") {}

std::chrono::milliseconds Retention::run_once() {
  if (!wanted() || parts_.incarnation == 0 || link_.waiting()) return kAway;
  Session* session = link_.session();
  if (session == nullptr) return kAway;
  const auto more = page(*session);
  if (!more) {
    link_.failed(more.error());
    return kAway;
  }
  link_.succeeded();
  return *more ? kNow : parts_.settings.retention_interval;
}

/// False: nothing is left to do in this pass.
Result<bool> Retention::page(Session& session) {
  const auto held = session.hold_lease("retention", parts_.incarnation, kLease);
  if (!held) return held.error();
  if (!*held) {
    stage_ = Stage::kHistories;
    behind_ = 0;
    histories_ = sagas_ = 0;
    return false;
  }
  const auto now = session.now();
  if (!now) return now.error();
  auto more = stage_ == Stage::kHistories ? histories(session, *now) : sagas(session, *now);
  if (!more || *more) return more;
  const bool last = stage_ == Stage::kSagas;
  next_stage();
  return !last;
}

void Retention::next_stage() {
  behind_ = 0;
  if (stage_ == Stage::kHistories) {
    stage_ = Stage::kSagas;
    return;
  }
  stage_ = Stage::kHistories;
  if (histories_ + sagas_ > 0)
    parts_.seams.logger.info("What ended long ago is removed.",
                             {{"histories", histories_}, {"sagas", sagas_}});
  histories_ = sagas_ = 0;
}

Result<bool> Retention::histories(Session& session, Time now) {
  if (!parts_.settings.history_retention) return false;
  const Time before = now - *parts_.settings.history_retention;
  auto page = session.ended_with_history(before, behind_, KeyMaker::first_of(before), kPage);
  if (!page) return page.error();
  behind_ = page->last;
  auto fences = removable(session, page->sagas);
  if (!fences) return fences.error();
  // Not too many rows in one transaction; one saga may have 51,200.
  const std::span<const Fence> all(*fences);
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    for (std::int64_t rows = 0; end < all.size() && (end == begin || rows + all[end].sequence <= kRows);
         ++end)
      rows += all[end].sequence;
    const auto removed = session.remove_histories(all.subspan(begin, end - begin));
    if (!removed) return removed.error();
    histories_ += *removed;
    parts_.seams.observer.removed_by_retention("history", *removed);
  }
  return page->more;
}

Result<bool> Retention::sagas(Session& session, Time now) {
  if (!parts_.settings.saga_retention) return false;
  const Time before = now - *parts_.settings.saga_retention;
  const auto page = session.remove_ended(before, behind_, KeyMaker::first_of(before), kPage);
  if (!page) return page.error();
  behind_ = page->last;
  sagas_ += page->removed;
  if (page->removed > 0) parts_.seams.observer.removed_by_retention("saga", page->removed);
  return page->more;
}

/// All but children whose root is open, in another database, or not to be read from their histories.
Result<std::vector<Fence>> Retention::removable(Session& session, const std::vector<EndedSaga>& ended) const {
  std::vector<Fence> fences;
  std::map<SagaAddress, std::vector<Fence>> children;
  for (const EndedSaga& saga : ended) {
    const Fence fence{saga.key, saga.sequence};
    const auto first = engine::read_entry(saga.first_events);
    if (!first || first->events.empty()) continue;
    const std::string& root = first->events.front().root;
    if (root.empty()) {
      fences.push_back(fence);
    } else if (auto address = root_address(root, parts_.name_space);
               address && parts_.slots.contains(wire::slot_of(address->saga_id))) {
      children[std::move(*address)].push_back(fence);
    }
  }
  if (children.empty()) return fences;
  std::vector<SagaAddress> roots;
  roots.reserve(children.size());
  for (const auto& [root, of] : children) roots.push_back(root);
  const auto found = session.load(roots, 1);  // rows are wanted, no histories
  if (!found) return found.error();
  for (const StoredSaga& root : *found)
    if (!is_ended(root.row.status)) children.erase(root.row.address);
  for (const auto& [root, of] : children) fences.insert(fences.end(), of.begin(), of.end());
  return fences;
}

}  // namespace skald::runtime
