// Keeping sagas in memory within a bound.
#include "runtime/instance_cache.hpp"

#include "ports/footprint.hpp"

namespace skald::runtime {

CachedSaga* InstanceCache::find(const SagaAddress& address) {
  const auto place = by_address_.find(address);
  if (place == by_address_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return &*place->second;
}

CachedSaga& InstanceCache::put(CachedSaga saga) {
  erase(saga.address);
  entries_.push_front(std::move(saga));
  by_address_[entries_.front().address] = entries_.begin();
  entries_.front().bytes = 0;
  measure(entries_.front());
  return entries_.front();
}

void InstanceCache::erase(const SagaAddress& address) {
  const auto place = by_address_.find(address);
  if (place == by_address_.end()) return;
  bytes_ -= place->second->bytes;
  entries_.erase(place->second);
  by_address_.erase(place);
}

void InstanceCache::measure(CachedSaga& saga) {
  bytes_ -= saga.bytes;
  // Its address stands here and in the index; three pointers are a node of either.
  constexpr std::size_t kNode = 3 * sizeof(void*);
  saga.bytes = block_bytes(sizeof(CachedSaga) + kNode) +
               block_bytes(sizeof(SagaAddress) + sizeof(entries_.begin()) + kNode) +
               2 * (heap_bytes(saga.address.definition) + heap_bytes(saga.address.saga_id)) +
               heap_bytes(saga.stuck_reason) + heap_bytes(saga.stuck_step) +
               (saga.instance ? saga.instance->memory_bytes() : 0);
  bytes_ += saga.bytes;
}

std::size_t InstanceCache::trim(std::size_t maximum_bytes) {
  std::size_t dropped = 0;
  while (bytes_ > maximum_bytes && !entries_.empty()) {
    const SagaAddress oldest = entries_.back().address;
    erase(oldest);
    ++dropped;
  }
  return dropped;
}

}  // namespace skald::runtime
