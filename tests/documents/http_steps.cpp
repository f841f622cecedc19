// What surrounds the code of docs/http-steps.md.
#include "order_types.hpp"
#include "skald/http_step.hpp"
#include "skald/skald.hpp"

using namespace std::chrono_literals;

struct Charge {
  std::string customer;
  std::int64_t cents = 0;
  bool express = false;
};
SKALD_FIELDS(Charge, customer, cents, express)
struct Payment {
  std::string id;
};
SKALD_FIELDS(Payment, id)

class ChargeCard;
class SendReceipt;
std::string read_secret(const std::string& path) { return path; }

struct PlaceOrder : skald::Saga<Charge, skald::Nothing> {
  static constexpr std::string_view name = "place-order";
  skald::Task<skald::Nothing> run(skald::Context&, Charge) override { co_return skald::Nothing{}; }
};

#include "http-steps-1.inc"
