// The C library's functions, in front of themselves.
#include "forbidden.hpp"

#include <dlfcn.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>

#include <cstdlib>
#include <random>

namespace skald::testing::detail {
namespace {

thread_local int watching = 0;
thread_local const char* noticed = nullptr;

void note(const char* call) {
  if (watching > 0 && noticed == nullptr) noticed = call;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

Watch::Watch() {
  if (watching++ == 0) noticed = nullptr;
}
Watch::~Watch() { --watching; }

std::string Watch::offence() {
  if (noticed == nullptr) return {};
  return noticed;
}

}  // namespace skald::testing::detail

using skald::testing::detail::next;
using skald::testing::detail::note;

namespace {
constexpr char kClock[] = "its code asks the wall clock: take saga.now()";
constexpr char kChance[] = "its code asks for random numbers of its own: take saga.random() or saga.uuid()";
}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) note(kClock);
  static auto* const real = next<int(clockid_t, struct timespec*)>("clock_gettime");
  return real(clock, time);
}

time_t time(time_t* into) noexcept {
  note(kClock);
  static auto* const real = next<time_t(time_t*)>("time");
  return real(into);
}

int gettimeofday(struct timeval* time, void* zone) noexcept {
  note(kClock);
  static auto* const real = next<int(struct timeval*, void*)>("gettimeofday");
  return real(time, zone);
}

int rand() noexcept {
  note(kChance);
  static auto* const real = next<int()>("rand");
  return real();
}

long random() noexcept {
  note(kChance);
  static auto* const real = next<long()>("random");
  return real();
}

}  // extern "C"

// What std::random_device asks, whatever it asks itself.
std::random_device::result_type std::random_device::_M_getval() {
  note(kChance);
  using Get = result_type (*)(std::random_device*);
  static const auto real = reinterpret_cast<Get>(dlsym(RTLD_NEXT, "_ZNSt13random_device9_M_getvalEv"));
  return real(this);
}
