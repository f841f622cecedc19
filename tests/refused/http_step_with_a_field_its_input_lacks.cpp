// An HTTP step whose URL asks for what its input does not have.
// refused: an HTTP step's path names a {field} that its input does not have
#include "skald/http_step.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reserve : skald::HttpStep<Reserve, Order, skald::Nothing> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "reserve";
#ifdef SKALD_REFUSED
  static constexpr skald::HttpRequest action{.path = "/orders/{order}"};
#else
  static constexpr skald::HttpRequest action{.path = "/orders/{id}/{idempotency-key}"};
#endif
  static constexpr skald::NoCompensation compensation{"nothing to undo"};
};
void add(skald::HttpClient& client) { Reserve{client}; }
