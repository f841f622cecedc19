// What people change of schedules: checked first, then written through one session of the store. Called by the command
// line and by the HTTP API, once a database.
#pragma once

#include "ports/store.hpp"
#include "schedules/ticks.hpp"

namespace skald::schedules {

/// kInvalid: it does not fit (checked), nothing is written.
[[nodiscard]] Result<void> put(Session& session, const Schedule& schedule, std::size_t databases);
/// False: there is none of that name, or it was so already. A schedule that goes on does so at its first tick after now.
[[nodiscard]] Result<bool> change(Session& session, ScheduleChange change);
/// kInvalid: there is none of that name.
[[nodiscard]] Result<Schedule> find(Session& session, const std::string& name);

}  // namespace skald::schedules
