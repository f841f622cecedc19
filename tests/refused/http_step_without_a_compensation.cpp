// An HTTP step that forgot what undoes it.
// refused: an HTTP step needs static constexpr skald::HttpRequest compensation{…}; or
#include "skald/http_step.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reserve : skald::HttpStep<Reserve, Order, skald::Nothing> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "reserve";
  static constexpr skald::HttpRequest action{.path = "/orders/{id}"};
#ifndef SKALD_REFUSED
  static constexpr skald::HttpRequest compensation{.method = "DELETE", .path = "/orders/{id}"};
#endif
};
void add(skald::HttpClient& client) { Reserve{client}; }
