// PrivatePostgres: a PostgreSQL server of our own for `dev`: its cluster in a folder, listening on 127.0.0.1 only,
// stopped with this object and, if this process is killed, with it. Without fsync: fast, and nothing to rely on.
// Used by the main thread only, which must outlive the server.
#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "app/system.hpp"
#include "skald/result.hpp"

namespace skald::app {

class PrivatePostgres {
 public:
  /// `folder` empty: a temporary one, removed at the end. Waits until the server answers. kUnavailable with the
  /// reason: no PostgreSQL on this machine, or it does not start.
  static Result<std::unique_ptr<PrivatePostgres>> start(const std::string& folder, Signals& signals,
                                                        Clock& clock);
  ~PrivatePostgres();
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;

  [[nodiscard]] std::string uri() const;
  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

 private:
  PrivatePostgres() = default;
  Result<void> prepare(const std::string& folder);
  Result<void> initialise();
  Result<void> launch(Signals& signals, Clock& clock);

  std::string programs_;  ///< the folder with initdb and postgres
  std::string folder_;
  bool temporary_ = false;
  int port_ = 0;
  pid_t process_ = -1;
};

}  // namespace skald::app
