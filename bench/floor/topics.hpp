// The names a run of the floor works under: each run has topics and a schema of its own, so that it starts from nothing.
// Steps by index, in order.
#pragma once

#include <array>
#include <string>

namespace bench {

struct Names {
  explicit Names(const std::string& run)
      : schema(run),
        orders(run + ".orders"),
        replies(run + ".replies"),
        lifecycle(run + ".lifecycle"),
        commands{run + ".inventory", run + ".payments", run + ".shipping"} {}

  std::string schema;
  std::string orders;
  std::string replies;
  std::string lifecycle;
  std::array<std::string, 3> commands;
  std::string linger_ms = "0.1";
};

inline constexpr std::array<const char*, 3> kSteps{"reserve-stock", "charge-card", "ship-order"};

/// Customers of this prefix are refused at the last step.
inline constexpr const char* kRefused = "remote-";
/// And of these there is no answer to the last step: what examples/order calls silent.
inline constexpr const char* kSilent = "silent-";

}  // namespace bench
