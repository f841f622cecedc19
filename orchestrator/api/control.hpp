// Control: what the API asks of the running process; the composition root implements it on the Runtime.
// Thread-safe. health and readiness never wait; the others wait at most a few seconds, then say kUnavailable
// or kUnknown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/input.hpp"
#include "engine/reset_plan.hpp"
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

  struct Sent {
    bool duplicate = false;  ///< it was applied before
    std::string answer;      ///< of an update, JSON
  };
  /// An operator's action, a signal or an update. kRefused: it does not fit (any more); kUnknown: it is stored and will
  /// be applied in its turn.
  virtual Result<Sent> send(const SagaAddress& address, const engine::Input& input) = 0;

  /// What a saga, as stored, answers to a query. kInvalid: no such query, or its input does not fit; kRefused: this
  /// process has no code for it, or the code threw.
  virtual Result<std::string> query(const StoredSaga& saga, std::string_view name,
                                    std::string_view input) = 0;

  /// What a reset would do with a saga, as stored. kRefused: why it cannot be.
  virtual Result<std::vector<engine::ResetStep>> plan_reset(const StoredSaga& saga,
                                                            const engine::OperatorAction& action) = 0;

  /// Does this process have such a definition, or step type?
  [[nodiscard]] virtual bool knows(PauseKind kind, std::string_view name) = 0;

  /// Could a saga of this definition start with this input? The error says why not.
  [[nodiscard]] virtual Result<void> could_start(const std::string& definition, const std::string& input) = 0;

  /// The cluster whose positions the store keeps.
  virtual Result<std::string> cluster_id() = 0;
};

}  // namespace skald::api
