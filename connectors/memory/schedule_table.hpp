// ScheduleTable: the schedules of the memory store. Guarded by the store's mutex; what it needs to know of sagas and
// incarnations it asks.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ports/schedule.hpp"

namespace skald::memory {

class ScheduleTable {
 public:
  [[nodiscard]] std::vector<Schedule> all() const;
  void put(const Schedule& schedule, Time now);
  bool change(const ScheduleChange& change, Time now);
  std::vector<DueSchedule> claim(const ScheduleClaim& claim, Time now,
                                 const std::function<bool(const SagaAddress&)>& is_open,
                                 const std::function<bool(Incarnation)>& is_live);
  bool advance(const ScheduleProgress& progress);

 private:
  struct Entry {
    Schedule schedule;
    Time lease_until{};
    Incarnation leased_by = 0;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace skald::memory
