// The rows of the memory store's tables, and when a process has code for a parked one. Internal to this folder.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ports/store.hpp"

namespace skald::memory {

struct SagaEntry {
  SagaRow row;
  std::vector<HistoryRow> history;
  std::optional<Time> lease_until;
  Incarnation leased_by = 0;
};

struct OutboxEntry {
  Incarnation incarnation = 0;
  Time created_at{};
  std::vector<Message> messages;
};

struct ParkedEntry {
  ParkedInput parked;
  std::optional<Time> lease_until;
};

struct IncarnationEntry {
  IncarnationInfo info;
  Time expires_at{};
};

struct LeaseEntry {
  Incarnation incarnation = 0;
  Time expires_at{};
};

using Revisions = std::set<std::pair<std::string, std::int32_t>>;

inline bool has_code(const ClaimSpec& spec, const Revisions& revisions, const ParkedInput& parked) {
  if (parked.revision != 0) return revisions.contains({parked.address.definition, parked.revision});
  return std::any_of(spec.revisions.begin(), spec.revisions.end(),
                     [&](const auto& one) { return one.first == parked.address.definition; });
}

}  // namespace skald::memory
