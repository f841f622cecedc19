// Slots of saga ids: numbers that never change, and the text in which a share of them is written.
#include "wire/slots.hpp"

#include <gmock/gmock.h>

#include <array>

#include "wire/murmur2.hpp"

namespace skald::wire {
namespace {

using testing::HasSubstr;

TEST(Slots, OfAnIdNeverChange) {  // they are stored: by the rows' routes, and by who has them
  EXPECT_EQ(slot_of("order-1"), slot_of_route(route_of("order-1")));
  EXPECT_EQ(route_of("order-1"), 1221710326);
  EXPECT_EQ(slot_of("order-1"), 209);
  EXPECT_EQ(slot_of("6f2c1f0e-9d1b-4b36-8f0e-0c7b8d1f3a55"), 80);
}

TEST(Slots, ShareTheIdsEvenlyAndEachUsesEveryPartition) {
  constexpr int kIds = 200'000;
  constexpr int kPartitions = 8;
  std::array<int, kSlots> sagas{};
  std::array<std::array<bool, kPartitions>, kSlots> seen{};
  for (int id = 0; id < kIds; ++id) {
    const auto route = route_of("o-" + std::to_string(id));
    const auto slot = static_cast<std::size_t>(slot_of_route(route));
    ++sagas[slot];
    seen[slot][static_cast<std::size_t>(route % kPartitions)] = true;
  }
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_GT(sagas[slot], kIds / kSlots / 2) << slot;
    EXPECT_LT(sagas[slot], kIds / kSlots * 2) << slot;
    for (const bool partition : seen[slot]) EXPECT_TRUE(partition) << slot;
  }
}

TEST(SlotSets, AreReadAndWrittenInRanges) {
  for (const char* text : {"0-1023", "0-511", "7", "0-99,200,300-511", "1023", "none"}) {
    const auto set = SlotSet::parse(text);
    ASSERT_TRUE(set) << text << ": " << set.error().message;
    EXPECT_EQ(set->text(), text);
  }
  EXPECT_EQ(SlotSet::parse(" 5 , 3-4,6 ")->text(), "3-6");
  EXPECT_TRUE(SlotSet::parse("none")->empty());
  EXPECT_EQ(SlotSet::all().text(), "0-1023");
  EXPECT_TRUE(SlotSet::all().full());
}

TEST(SlotSets, SayWhatIsWrongWithATextThatIsNone) {
  for (const char* text :
       {"", "x", "0-1024", "-1", "5-3", "1,,2", "0-", "none,1", "1-2-3", "0x10", "9999999999"}) {
    const auto set = SlotSet::parse(text);
    ASSERT_FALSE(set) << text;
    EXPECT_THAT(set.error().message, HasSubstr("no slot from 0 to 1023")) << text;
  }
  EXPECT_THAT(SlotSet::parse("0-5,3").error().message, HasSubstr("slot 3 stands there twice"));
}

TEST(SlotSets, AreComparedAndTakenApart) {
  const SlotSet low = *SlotSet::parse("0-511");
  const SlotSet high = *SlotSet::parse("500-1023");
  EXPECT_EQ(low.both(high).text(), "500-511");
  EXPECT_EQ(low.either(high), SlotSet::all());
  EXPECT_EQ(low.without(high).text(), "0-499");
  EXPECT_EQ(low.size(), 512U);
  EXPECT_TRUE(low.contains(511));
  EXPECT_FALSE(low.contains(512));
}

}  // namespace
}  // namespace skald::wire
