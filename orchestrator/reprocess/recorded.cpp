// Reading a history for what others did.
#include "reprocess/recorded.hpp"

#include <algorithm>

#include "engine/event.hpp"

namespace skald::reprocess {
namespace {

using engine::Event;
using engine::EventKind;

class Reader {
 public:
  explicit Reader(const StoredSaga& saga) { recorded_.row = saga.row; }

  void read(const engine::HistoryEntry& entry) {
    at_ = entry.at;
    for (const Event& event : entry.events) read(event);
  }
  Recorded take() { return std::move(recorded_); }

 private:
  void read(const Event& event) {
    switch (event.kind) {
      case EventKind::kStarted: return started(event);
      case EventKind::kStep: return scheduled(event);
      case EventKind::kSucceeded: return ended(event, RecordedStep::End::kSucceeded);
      case EventKind::kFailed:
        if (!event.retry_at) ended(event, RecordedStep::End::kFailed);
        return;
      case EventKind::kLateSuccess:
        if (RecordedStep* step = find(event.ordinal)) step->output = event.data;
        return;
      case EventKind::kCompensated:
        if (RecordedStep* step = find(event.ordinal)) step->compensated = true;
        return;
      case EventKind::kRecorded: recorded_.values[event.name].push_back(event.data); return;
      case EventKind::kSignal:
        return came(engine::SignalInput{event.name, event.who, event.id, event.data, false});
      case EventKind::kUpdate: return came(engine::UpdateInput{event.name, event.who, event.id, event.data});
      case EventKind::kCancel:
        if (!event.who.empty())
          came(engine::OperatorAction{engine::OperatorVerb::cancel, 0, 0, {}, event.who, event.why});
        return;
      case EventKind::kOperator:
        // A person's word in the place of the participant's.
        if (event.reason == "skip" && event.phase == wire::Phase::kAction)
          ended(event, RecordedStep::End::kSucceeded);
        return;
      case EventKind::kEnded:
        recorded_.output = event.data;
        recorded_.failure = event.failure;
        return;
      default: return;
    }
  }

  void started(const Event& event) {
    if (recorded_.started_at != Time{}) return;  // a later run
    recorded_.started_at = at_;
    recorded_.input = event.data;
    recorded_.origin = event.why;
  }
  void scheduled(const Event& event) {
    if (event.again) return;
    RecordedStep step;
    step.name = event.step;
    step.input = event.data;
    step.pivot = event.pivot;
    step.ordinal = event.ordinal;
    step.scheduled_at = at_;
    recorded_.steps.push_back(std::move(step));
  }
  void ended(const Event& event, RecordedStep::End end) {
    RecordedStep* step = find(event.ordinal);
    if (step == nullptr) return;
    step->end = end;
    step->output = event.data;
    step->failure = event.failure;
    step->took = at_ - step->scheduled_at;
  }
  void came(engine::Input input) {
    recorded_.inputs.push_back({at_ - recorded_.started_at, std::move(input)});
  }
  RecordedStep* find(int ordinal) {
    const auto found = std::find_if(recorded_.steps.begin(), recorded_.steps.end(),
                                    [ordinal](const RecordedStep& step) { return step.ordinal == ordinal; });
    return found == recorded_.steps.end() ? nullptr : &*found;
  }

  Recorded recorded_;
  Time at_{};
};

}  // namespace

Result<Recorded> recorded_of(const StoredSaga& saga) {
  if (saga.history_removed())
    return Error{ErrorKind::kRefused, "", "the saga has ended and its history was removed"};
  Reader reader(saga);
  for (const HistoryRow& row : saga.history) {
    const auto entry = engine::read_entry(row.events);
    if (!entry) return entry.error();
    reader.read(*entry);
  }
  return reader.take();
}

}  // namespace skald::reprocess
