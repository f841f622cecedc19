// From timings to ticks.
#include "schedules/ticks.hpp"

#include "wire/cloud_events.hpp"
#include "wire/command_id.hpp"

namespace skald::schedules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Error does_not_fit(std::string message) { return {ErrorKind::kInvalid, kDoesNotFit, std::move(message)}; }

bool is_whole_seconds(milliseconds span) { return span % seconds(1) == milliseconds(0); }

}  // namespace

Result<Ticks> Ticks::of(const Timing& timing) {
  Ticks ticks;
  if (timing.cron.empty() == (timing.interval == milliseconds(0)))
    return does_not_fit("a schedule takes a cron expression or an interval: one of them");
  if (!timing.cron.empty()) {
    if (timing.offset != milliseconds(0))
      return does_not_fit("an offset goes with an interval, not with cron");
    auto cron = Cron::parse(timing.cron);
    if (!cron) return does_not_fit(cron.error().message);
    auto zone = TimeZone::named(timing.time_zone);
    if (!zone) return does_not_fit(zone.error().message);
    ticks.cron_ = std::move(cron).value();
    ticks.zone_ = std::move(zone).value();
    return ticks;
  }
  if (timing.time_zone != "UTC")
    return does_not_fit("a time zone goes with cron: an interval is the same everywhere");
  if (!is_whole_seconds(timing.interval) || timing.interval < kShortestInterval ||
      timing.interval > kLongestInterval)
    return does_not_fit("an interval is whole seconds from 1s to 366d");
  if (!is_whole_seconds(timing.offset) || timing.offset < milliseconds(0) || timing.offset >= timing.interval)
    return does_not_fit("an offset is whole seconds, less than the interval");
  ticks.interval_ = timing.interval;
  ticks.offset_ = timing.offset;
  return ticks;
}

Time Ticks::after(Time time) const {
  if (!cron_) {
    const milliseconds since = time.time_since_epoch() - offset_;
    const auto passed = since / interval_ - (since % interval_ < milliseconds(0) ? 1 : 0);
    return Time{offset_ + (passed + 1) * interval_};
  }
  // Where clocks go back, local minutes come again whose moments have passed; where they go forward, several share one.
  for (LocalMinute minute = zone_.local(time);;) {
    minute = *cron_->after(minute);  // an expression without any was refused
    if (const Time moment = zone_.moment(minute); moment > time) return moment;
  }
}

std::string saga_id_of(std::string_view schedule, Time tick) {
  std::string time = wire::format_time(tick);
  time.resize(time.find('.'));
  return std::string(schedule) + "/" + time + "Z";
}

Result<Schedule> checked(Schedule schedule, Time now, std::size_t databases) {
  if (!wire::is_valid_name(schedule.name))
    return does_not_fit("a schedule's name is 1 to 63 characters of A-Z a-z 0-9 . _ -");
  const auto ticks = Ticks::of(schedule.timing);
  if (!ticks) return ticks.error();
  if (schedule.catch_up < kShortestCatchUp || schedule.catch_up > kLongestCatchUp)
    return does_not_fit("the catch-up window is from 10s to 366d");
  if (schedule.input.size() > kMaximumInputBytes)
    return does_not_fit("the input of a schedule has at most 16 KiB");
  if (databases > 1 && schedule.overlap != Overlap::allow)
    return does_not_fit(
        "several databases divide the sagas, and none of them knows whether a saga of another one is open: "
        "overlap "
        "takes only allow");
  schedule.next_at = ticks->after(now);
  return schedule;
}

}  // namespace skald::schedules
