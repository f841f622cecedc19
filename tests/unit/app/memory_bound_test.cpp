// The sum by which a platform engineer sets a container's limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/memory_bound.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kMebibyte = 1u << 20;

TEST(MemoryBound, OfTheDefaultsLeavesRoomInAGibibyte) {
  EXPECT_LE(memory_bound({}, {}).total(), 1000 * kMebibyte);
}

TEST(MemoryBound, GrowsByWhatIsConfigured) {
  const std::size_t before = memory_bound({}, {}).total();
  runtime::Settings settings;
  settings.cache_bytes += kMebibyte;
  EXPECT_EQ(memory_bound(settings, {}).total() - before, kMebibyte);
  settings.queue_bytes_high += kMebibyte;
  EXPECT_EQ(memory_bound(settings, {}).total() - before, 9 * kMebibyte) << "twice in each of four lanes";
  settings.outbox_bytes_high += kMebibyte;
  EXPECT_EQ(memory_bound(settings, {}).total() - before, 11 * kMebibyte);
  settings.local_bytes_high += kMebibyte;
  EXPECT_EQ(memory_bound(settings, {}).total() - before, 13 * kMebibyte);
}

TEST(MemoryBound, OfSeveralDatabasesIsThatOfEachWithOneCache) {
  const MemoryBound one = memory_bound({}, {});
  const MemoryBound three = memory_bound({}, {}, 3);
  EXPECT_EQ(three.cache, one.cache);
  EXPECT_EQ(three.base, one.base);
  EXPECT_EQ(three.total() - three.cache - three.base, 3 * (one.total() - one.cache - one.base));
}

TEST(MemoryBound, KnowsWhatTheKafkaClientWasTold) {
  kafka::Options options;
  const std::size_t before = memory_bound({}, options).total();
  options.properties["queued.max.messages.kbytes"] = std::to_string(options.fetch_queue_kilobytes + 1024);
  EXPECT_EQ(memory_bound({}, options).total() - before, kMebibyte);
}

TEST(MemoryBound, IsOneLineThatAddsUp) {
  EXPECT_THAT(describe(memory_bound({}, {})),
              ::testing::MatchesRegex("[0-9]+ MiB = [0-9]+ base \\+ 256 cache \\+ .* Kafka client"));
}

}  // namespace
}  // namespace skald::app
