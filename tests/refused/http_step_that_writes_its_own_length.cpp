// An HTTP step with a header that is not the author's, and one whose path is none.
// refused: an HTTP step's header has a name or value that HTTP forbids
// refused: an HTTP step's path begins with a /
// refused: an HTTP step's method is GET, HEAD, POST, PUT, PATCH or DELETE
#include "skald/http_step.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reserve : skald::HttpStep<Reserve, Order, skald::Nothing> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "reserve";
#ifdef SKALD_REFUSED
  static constexpr skald::HttpRequest action{.method = "FETCH", .path = "/../{id", .headers = {
                                               { "content-length",
                                                 "5" }
                                             }};
#else
  static constexpr skald::HttpRequest action{.path = "/orders", .headers = {{"X-Length", "5"}}};
#endif
  static constexpr skald::NoCompensation compensation{"nothing to undo"};
};
void add(skald::HttpClient& client) { Reserve{client}; }
