// The watchdog shuts down the socket of a call that takes too long, and no other.
#include "postgres/watchdog.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace skald::postgres {
namespace {

using std::chrono::milliseconds;

class Pair {
 public:
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_.data()), 0); }
  ~Pair() {
    close(sockets_[0]);
    close(sockets_[1]);
  }
  [[nodiscard]] int socket() const { return sockets_[0]; }
  /// Did the other end see it shut down within the limit?
  [[nodiscard]] bool shut_within(milliseconds limit) const {
    pollfd waited{sockets_[1], POLLRDHUP, 0};
    return poll(&waited, 1, static_cast<int>(limit.count())) == 1;
  }

 private:
  std::array<int, 2> sockets_{};
};

TEST(Watchdog, ACallBeyondItsLimitLosesItsSocketAndOthersDoNot) {
  Watchdog watchdog;
  Pair slow, patient;
  const Watchdog::Watch longer{watchdog, patient.socket(), std::chrono::hours{1}};
  const Watchdog::Watch shorter{watchdog, slow.socket(), milliseconds{10}};
  EXPECT_TRUE(slow.shut_within(std::chrono::seconds{20}));
  EXPECT_FALSE(patient.shut_within(milliseconds{0}));
}

TEST(Watchdog, ACallThatEndedInTimeIsLeftAlone) {
  Watchdog watchdog;
  Pair ended, slow;
  { const Watchdog::Watch watch{watchdog, ended.socket(), milliseconds{20}}; }
  const Watchdog::Watch later{watchdog, slow.socket(), milliseconds{40}};
  EXPECT_TRUE(slow.shut_within(std::chrono::seconds{20}));  // so the first one's time has passed as well
  EXPECT_FALSE(ended.shut_within(milliseconds{0}));
}

}  // namespace
}  // namespace skald::postgres
