// make_input: a step's input from one Input or one argument for each field, and which arguments may fill which field.
// That the others do not compile, with a text one can read, is tests/refused/.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skald/fields.hpp"

namespace {

enum class Colour { red, green };
SKALD_ENUM(Colour, red, green)

struct Line {
  std::string sku;
  std::int64_t quantity = 7;
  bool operator==(const Line&) const = default;
};
SKALD_FIELDS(Line, sku, quantity)

struct Parcel {
  std::optional<std::string> note;
  std::optional<std::int64_t> grams;
  std::vector<Line> lines;
  double weight = 0;
  Colour colour = Colour::red;
  bool gift = false;
};
SKALD_FIELDS(Parcel, note, grams, lines, weight, colour, gift)

struct Single {
  std::string id;
  bool operator==(const Single&) const = default;
};
SKALD_FIELDS(Single, id)

using skald::detail::keeps_value;
static_assert(keeps_value<int, std::int64_t>() && keeps_value<std::uint32_t, std::int64_t>());
static_assert(!keeps_value<std::int64_t, std::int32_t>() && !keeps_value<int, unsigned>());
static_assert(!keeps_value<std::uint64_t, std::int64_t>() && !keeps_value<std::int64_t, std::uint64_t>());
static_assert(!keeps_value<double, int>() && !keeps_value<float, std::int64_t>());
static_assert(!keeps_value<bool, int>() && !keeps_value<char, int>());
static_assert(keeps_value<int, double>() && keeps_value<float, double>());
static_assert(!keeps_value<std::int64_t, double>() && !keeps_value<bool, double>() &&
              !keeps_value<long double, double>());
static_assert(keeps_value<bool&, bool>());
static_assert(!keeps_value<const char*, bool>() && !keeps_value<int, bool>() &&
              !keeps_value<std::nullptr_t, bool>());
static_assert(keeps_value<const char (&)[3], std::string>() && keeps_value<std::string_view, std::string>());
static_assert(!keeps_value<std::nullptr_t, std::string>() && !keeps_value<char, std::string>());
static_assert(!keeps_value<int, std::vector<int>>(), "a size is no content");
static_assert(!keeps_value<int, Colour>() && !keeps_value<Colour, int>());
static_assert(keeps_value<std::nullopt_t, std::optional<int>>());
static_assert(keeps_value<std::optional<int>, std::optional<std::int64_t>>());
static_assert(!keeps_value<std::optional<std::int64_t>, std::optional<int>>());
static_assert(!keeps_value<const char*, std::optional<bool>>());
static_assert(!keeps_value<std::optional<int>, int>(), "an empty optional would have no value to give");

TEST(MakeInput, TakesOneArgumentForEachField) {
  EXPECT_EQ(skald::make_input<Line>("a", 2), (Line{"a", 2}));
  EXPECT_EQ(skald::make_input<Line>(std::string_view("a"), std::int64_t{2}), (Line{"a", 2}));
  EXPECT_EQ(skald::make_input<Single>("x"), (Single{"x"}));
  EXPECT_EQ(skald::make_input<skald::Nothing>(), skald::Nothing{});
}

TEST(MakeInput, TakesTheInputItself) {
  const Line line{"b", 3};
  EXPECT_EQ(skald::make_input<Line>(line), line);
  EXPECT_EQ(skald::make_input<Line>(Line{"b", 3}), line);
  EXPECT_EQ(skald::make_input<std::string>("text"), "text");
  EXPECT_EQ(skald::make_input<skald::Nothing>(skald::Nothing{}), skald::Nothing{});
}

TEST(MakeInput, MovesWhatIsMovedAndCopiesTheRest) {
  const std::string sku = "long enough to live on the heap, if anything does";
  std::string moved = sku;
  const char* const bytes = moved.data();
  const Line first = skald::make_input<Line>(std::move(moved), 1);
  EXPECT_EQ(first.sku.data(), bytes);
  const Line second = skald::make_input<Line>(sku, 1);
  EXPECT_EQ(second.sku, sku);
}

TEST(MakeInput, FillsOptionalsFromValuesOptionalsAndNothing) {
  const auto full = skald::make_input<Parcel>("n", 5, std::vector<Line>{{"a", 1}}, 2, Colour::green, true);
  EXPECT_EQ(full.note, "n");
  EXPECT_EQ(full.grams, 5);
  EXPECT_EQ(full.lines.size(), 1u);
  EXPECT_EQ(full.weight, 2.0);
  EXPECT_EQ(full.colour, Colour::green);
  const auto empty = skald::make_input<Parcel>(std::nullopt, std::optional<int>(), std::vector<Line>(), 2.5f,
                                               Colour::red, false);
  EXPECT_EQ(empty.note, std::nullopt);
  EXPECT_EQ(empty.grams, std::nullopt);
  const auto some = skald::make_input<Parcel>(std::optional<std::string>("x"), std::optional<int>(4),
                                              std::vector<Line>(), 2.5, Colour::red, false);
  EXPECT_EQ(some.note, "x");
  EXPECT_EQ(some.grams, 4);
}

}  // namespace
