// Control: what the API asks of the running process; the composition root implements it on the Runtime.
// Thread-safe. health and readiness never wait; the others wait at most a few seconds, then say kUnavailable
// or kUnknown.
#pragma once

#include <cstdint>
#include <string>

#include "engine/input.hpp"
#include "ports/identity.hpp"
#include "ports/store.hpp"
#include "skald/result.hpp"

namespace skald::api {

class Control {
 public:
  virtual ~Control() = default;

  struct Health {
    bool alive = true;
    std::string reason;  ///< why not
  };
  /// Do the lanes progress? Never about Kafka or PostgreSQL.
  [[nodiscard]] virtual Health health() = 0;

  struct Readiness {
    bool store = false;  ///< PostgreSQL is reached and its schema fits
    bool bus = false;    ///< Kafka is reached
    std::string store_reason;
    std::string bus_reason;
  };
  [[nodiscard]] virtual Readiness readiness() = 0;

  struct Started {
    bool duplicate = false;  ///< the saga existed, with the same input
  };
  /// Starts a saga as a trigger would. kInvalid: it does not fit; kRefused: the id is taken, with other input.
  virtual Result<Started> start(const SagaAddress& address, const std::string& input,
                                const std::string& origin) = 0;

  /// An operator's action on a stuck saga. kRefused: it no longer fits.
  virtual Result<void> act(const SagaAddress& address, const engine::OperatorAction& action) = 0;

  /// The cluster whose positions the store keeps.
  virtual Result<std::string> cluster_id() = 0;
};

}  // namespace skald::api
