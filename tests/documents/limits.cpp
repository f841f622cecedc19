// What surrounds the code of docs/limits.md.
#include "order_types.hpp"
#include "skald/http_step.hpp"
#include "skald/participant.hpp"
#include "skald/skald.hpp"

using namespace std::chrono_literals;
using shop::Charge, shop::Payment, shop::Refund;

Payment charge(const Charge& charge, skald::participant::Transaction&) { return {charge.customer}; }
void refund(const Refund&, skald::participant::Transaction&) {}

class ChargeCard;

#include "limits-1.inc"
#include "limits-2.inc"
