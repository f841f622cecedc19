// The orders a load consists of: nine of ten go well, the tenth fails in one of the ways a real shop knows. Pure but for
// the ids, which are drawn from the seed. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace shop {

struct NewOrder {
  std::string id;
  std::string scenario;  ///< what will happen to it: "good", "card-declined", …
  std::string json;      ///< the record's value
};

enum class Ids {
  kReadable,  ///< order-<run>-000001
  kUuid,      ///< random, as most shops have them
};

struct OrderMix {
  Ids ids = Ids::kReadable;
  int failing_percent = 10;       ///< spread evenly over the ways to fail
  bool only_at_shipping = false;  ///< they all fail at the last step, refused for good
  std::size_t padding_bytes = 0;  ///< added to the customer's name, which every step is told
  std::uint64_t seed = 0;
};

class OrderMaker {
 public:
  explicit OrderMaker(const OrderMix& mix);
  [[nodiscard]] NewOrder next();

 private:
  [[nodiscard]] std::string make_id();
  [[nodiscard]] std::string_view make_scenario() const;

  OrderMix mix_;
  std::mt19937_64 random_;
  std::string run_;
  std::int64_t number_ = 0;
};

}  // namespace shop
