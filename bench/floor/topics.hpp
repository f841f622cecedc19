// The floor's topics: its own, so that it runs beside Skald on one cluster. Steps by index, in order.
#pragma once

#include <array>

namespace bench {

inline constexpr const char* kOrders = "floor.orders";
inline constexpr const char* kReplies = "floor.replies";
inline constexpr const char* kLifecycle = "floor.lifecycle";
inline constexpr std::array<const char*, 3> kCommands{"floor.inventory", "floor.payments", "floor.shipping"};
inline constexpr std::array<const char*, 3> kSteps{"reserve-stock", "charge-card", "ship-order"};

/// Customers of this prefix are refused at the last step.
inline constexpr const char* kRefused = "remote-";

}  // namespace bench
