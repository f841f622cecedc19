// Walks over the sagas in the order of their keys.
#include "memory/saga_queries.hpp"

namespace skald::memory {
namespace {

bool ended_before(const SagaRow& row, Time time) {
  return is_ended(row.status) && row.ended_at && *row.ended_at < time;
}

/// Looks at up to `maximum` of those that `counts`; the page without what is found.
template <class Page, class Counts, class Look>
Page walk(const Sagas& sagas, SagaKey behind, SagaKey below, std::size_t maximum, Counts counts, Look look) {
  Page page;
  page.last = behind;
  std::size_t looked_at = 0;
  for (auto place = sagas.upper_bound(behind); place != sagas.end() && place->first < below; ++place) {
    if (!counts(place->second)) continue;
    if (looked_at++ == maximum) {
      page.more = true;
      break;
    }
    page.last = place->first;
    look(page, place->second);
  }
  return page;
}

}  // namespace

std::vector<SagaRow> list_sagas(const Sagas& sagas, const ListFilter& filter) {
  std::vector<SagaRow> rows;
  const auto add = [&](const SagaRow& row) {
    if (!filter.definition.empty() && row.address.definition != filter.definition) return;
    if (filter.status && row.status != *filter.status) return;
    if (filter.open_only && is_ended(row.status)) return;
    rows.push_back(row);
  };
  if (filter.oldest_first) {
    auto place = filter.page_from ? sagas.upper_bound(*filter.page_from) : sagas.begin();
    for (; place != sagas.end() && rows.size() < filter.maximum; ++place) add(place->second.row);
  } else {
    auto place = filter.page_from ? sagas.lower_bound(*filter.page_from) : sagas.end();
    while (place != sagas.begin() && rows.size() < filter.maximum) add((--place)->second.row);
  }
  return rows;
}

EndedPage ended_with_history(const Sagas& sagas, Time time, SagaKey behind, SagaKey below,
                             std::size_t maximum) {
  return walk<EndedPage>(
      sagas, behind, below, maximum, [](const SagaEntry& entry) { return !entry.history.empty(); },
      [time](EndedPage& page, const SagaEntry& entry) {
        if (ended_before(entry.row, time))
          page.sagas.push_back({entry.row.key, entry.row.sequence, entry.history.front().events});
      });
}

std::size_t remove_histories(Sagas& sagas, std::span<const Fence> which) {
  std::size_t removed = 0;
  for (const Fence& fence : which) {
    const auto found = sagas.find(fence.key);
    if (found == sagas.end() || !is_ended(found->second.row.status)) continue;
    if (found->second.row.sequence != fence.sequence || found->second.history.empty()) continue;
    found->second.history.clear();
    ++removed;
  }
  return removed;
}

RemovedPage remove_ended(Sagas& sagas, Time time, SagaKey behind, SagaKey below, std::size_t maximum,
                         std::vector<SagaAddress>& removed) {
  std::vector<SagaKey> keys;
  RemovedPage page = walk<RemovedPage>(
      sagas, behind, below, maximum, [](const SagaEntry&) { return true; },
      [&](RemovedPage& /*page*/, const SagaEntry& entry) {
        if (!ended_before(entry.row, time) || !entry.history.empty()) return;
        keys.push_back(entry.row.key);
        removed.push_back(entry.row.address);
      });
  for (const SagaKey key : keys) sagas.erase(key);
  page.removed = keys.size();
  return page;
}

}  // namespace skald::memory
