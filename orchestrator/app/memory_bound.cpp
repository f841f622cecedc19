// The sum; see memory_bound.hpp.
#include "app/memory_bound.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kMebibyte = 1u << 20;
/// Measured: an idle process has 30 MiB; metrics, HTTP (16 requests of 1 MiB with their answers), log lines, claims of
/// the timekeeper and the allocator's caches of 30 threads are the rest.
constexpr std::size_t kBaseBytes = 80 * kMebibyte;
/// Beside its inputs, which count as queued, a transaction has their transitions, messages, rows, statements and the
/// client library's buffers; as many bytes again of loaded histories, with the sagas made of them; and a lane remembers
/// two batches whose commit is in doubt.
constexpr std::size_t kCopiesOfABatch = 12;
/// Of an entry for a record read: position, timestamp, checksum.
constexpr std::size_t kOpenRecordBytes = 48;

}  // namespace

MemoryBound memory_bound(const runtime::Settings& settings, const kafka::Options& kafka,
                         std::size_t databases) {
  const std::size_t lanes = databases * settings.lanes;
  MemoryBound bound;
  bound.base = kBaseBytes;
  bound.cache = settings.cache_bytes;
  bound.queues = lanes * 2 * settings.queue_bytes_high;
  bound.batches = lanes * kCopiesOfABatch * settings.maximum_batch_bytes;
  bound.outbox = databases * 2 * settings.outbox_bytes_high;
  bound.local = databases * 2 * settings.local_bytes_high;
  bound.records = databases * 2 * settings.open_records_high * kOpenRecordBytes;
  bound.kafka = databases * kafka::memory_bound(kafka);
  return bound;
}

std::string describe(const MemoryBound& bound) {
  const auto mebibytes = [](std::size_t bytes) {
    return std::to_string((bytes + kMebibyte / 2) / kMebibyte);
  };
  return mebibytes(bound.total()) + " MiB = " + mebibytes(bound.base) + " base + " + mebibytes(bound.cache) +
         " cache + " + mebibytes(bound.queues) + " queues + " + mebibytes(bound.batches) + " batches + " +
         mebibytes(bound.outbox) + " outbox + " + mebibytes(bound.local) + " local steps + " +
         mebibytes(bound.records) + " open records + " + mebibytes(bound.kafka) + " Kafka client";
}

}  // namespace skald::app
