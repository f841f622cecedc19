// Which order meets which trouble is decided by its number, so that any thousand of them hold the same mix.
#include "orders.hpp"

#include <array>
#include <cstdio>
#include <iterator>

#include "order_types.hpp"

namespace shop {
namespace {

constexpr std::array<std::string_view, 4> kTroubles{"card-declined", "sold-out", "flaky-inventory",
                                                    "silent-shipping"};
constexpr std::int64_t kCustomers = 1000;
constexpr std::string_view kGoodSkus[] = {"book", "lamp", "chair", "table"};

std::string hexadecimal(std::uint64_t number, int digits) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%0*llx", digits, static_cast<unsigned long long>(number));
  return {text.data(), static_cast<std::size_t>(digits)};
}

}  // namespace

OrderMaker::OrderMaker(const OrderMix& mix) : mix_(mix), random_(mix.seed) {
  run_ = hexadecimal(random_() & 0xffffff, 6);
}

std::string OrderMaker::make_id() {
  if (mix_.ids == Ids::kReadable) {
    auto number = std::to_string(number_);
    number.insert(0, 6 - std::min<std::size_t>(6, number.size()), '0');
    return "order-" + run_ + "-" + number;
  }
  const auto high = random_();
  const auto low = random_();
  return hexadecimal(high >> 32, 8) + "-" + hexadecimal(high >> 16 & 0xffff, 4) + "-4" +
         hexadecimal(high & 0xfff, 3) + "-8" + hexadecimal(low >> 48 & 0xfff, 3) + "-" +
         hexadecimal(low & 0xffffffffffff, 12);
}

std::string_view OrderMaker::make_scenario() const {
  const auto troubles = [this](std::int64_t number) { return number * mix_.failing_percent / 100; };
  if (troubles(number_) == troubles(number_ - 1)) return "good";
  if (mix_.only_at_shipping) return "no-carrier";
  return kTroubles[static_cast<std::size_t>(troubles(number_)) % kTroubles.size()];
}

NewOrder OrderMaker::next() {
  ++number_;
  const auto scenario = make_scenario();
  Order order;
  order.id = make_id();
  order.customer = "customer-" + std::to_string(number_ % kCustomers);
  order.sku = kGoodSkus[static_cast<std::size_t>(number_) % std::size(kGoodSkus)];
  order.total_cents = 500 + number_ % 9'500;
  if (scenario == "card-declined") order.customer.insert(0, kDeclinedCustomer);
  if (scenario == "silent-shipping") order.customer.insert(0, kSilentCustomer);
  if (scenario == "no-carrier") order.customer.insert(0, kRemoteCustomer);
  order.customer.append(mix_.padding_bytes, '-');
  if (scenario == "sold-out") order.sku = kSoldOutSku;
  if (scenario == "flaky-inventory") order.sku = kFlakySku;
  return {order.id, std::string(scenario), skald::to_json(order)};
}

}  // namespace shop
