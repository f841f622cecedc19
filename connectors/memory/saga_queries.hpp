// What is asked of all sagas of the store at once. The caller holds the store's lock.
#pragma once

#include <map>
#include <vector>

#include "memory/rows.hpp"
#include "ports/store.hpp"

namespace skald::memory {

using Sagas = std::map<SagaKey, SagaEntry>;

[[nodiscard]] std::vector<SagaRow> list_sagas(const Sagas& sagas, const ListFilter& filter);
/// As Session::ended_with_history.
[[nodiscard]] EndedPage ended_with_history(const Sagas& sagas, Time ended_before, SagaKey behind,
                                           SagaKey below, std::size_t maximum);
/// As Session::remove_histories.
std::size_t remove_histories(Sagas& sagas, std::span<const Fence> which);
/// As Session::remove_ended; `removed` has the addresses of those that are gone.
RemovedPage remove_ended(Sagas& sagas, Time ended_before, SagaKey behind, SagaKey below, std::size_t maximum,
                         std::vector<SagaAddress>& removed);

}  // namespace skald::memory
