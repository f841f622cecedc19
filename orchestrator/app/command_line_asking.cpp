// The subcommands that ask a running orchestrator for something, or decide for one.
#include "app/command_line.hpp"

#include <CLI/CLI.hpp>

namespace skald::app {

void CommandLine::add_asking() {
  CLI::App* start =
      add("start", "Start a saga through a running orchestrator; the same id and input again does nothing",
          "start place-order --id o-17 --input '{\"id\":\"o-17\"}'\nstart place-order --id o-17 --input "
          "@order.json",
          [this] { return run_start(program_, start_); });
  start->add_option("SAGA", start_.saga, "The saga's definition")->required();
  start->add_option("--id", start_.id, "Its id")->required();
  start->add_option("--input", start_.input, "Its input: JSON, @FILE, or - for standard input")
      ->required()
      ->type_name("JSON");
  start->add_option("--url", start_.url, "The orchestrator (default: http.listen)")->type_name("URL");
  CLI::App* ready = add("ready", "Ask a running orchestrator whether it reaches its database and Kafka",
                        "ready", [this] { return run_ready(program_, ready_); });
  ready->add_option("--url", ready_.url, "The orchestrator (default: http.listen)")->type_name("URL");
  add_sending();
  add_action("cancel", "Roll an open saga back, unless its pivot took effect");
  add_action("pause", "Send nothing more for an open saga until it is resumed; what comes in is kept");
  add_action("resume", "Go on with a paused saga");
  add_action("terminate", "End an open saga as it stands, without rollback");
  add_action("retry",
             "Try a stuck saga again from where it stands; of an open one, at once what waits for its retry");
  add_action("skip", "Let a stuck or an open step count as done, with the result given");
  add_action("compensate", "Roll a stuck saga back");
  add_action("end", "End a stuck saga as it stands");
  add_reset();
  add_reprocess();
  add_dead_letters();
  add_pauses();
  add_schedules();
  add_complete();
  add_batch();
}

void CommandLine::add_sending() {
  CLI::App* signal = add("signal", "Send a signal to a saga, which takes it when its code asks for it",
                         "signal place-order o-17 approval --data '{\"by\":\"ann\"}'\nsignal place-order "
                         "o-17 approval --id m-1 --data "
                         "@approval.json --start-input @order.json",
                         [this] { return run_signal(program_, running_); });
  CLI::App* update = add("update", "Change a running saga by one of its updates, and print its answer",
                         "update place-order o-17 move-to --data '{\"city\":\"Bergen\"}'",
                         [this] { return run_update(program_, running_); });
  CLI::App* query = add("query", "Ask a saga, and print its answer", "query place-order o-17 progress",
                        [this] { return run_query(program_, running_); });
  for (CLI::App* command : {signal, update, query}) {
    command->add_option("SAGA", running_.saga, "The saga's definition")->required();
    command->add_option("ID", running_.id, "Its id")->required();
    command->add_option("NAME", running_.name, "The " + command->get_name() + "'s name")->required();
    command
        ->add_option(command == query ? "--input" : "--data", running_.data,
                     "JSON, @FILE, or - for standard input (default: {})")
        ->type_name("JSON");
    command->add_option("--url", running_.url, "The orchestrator (default: http.listen)")->type_name("URL");
    if (command != query)
      command->add_option(
          "--id", running_.message_id,
          "The message's own id: with the same one again nothing happens (default: a new one)");
  }
  signal
      ->add_option("--start-input", running_.start_input,
                   "Start the saga first, with this input, unless it exists")
      ->type_name("JSON");
}

CLI::App* CommandLine::add_action(const std::string& verb, const std::string& description) {
  const std::string example = verb + " place-order o-17 --who ann --why 'provider is back'" +
                              (verb == "skip"    ? " --result '{\"id\":\"r-1\"}'"
                               : verb == "reset" ? " --to 5 --effects compensate"
                                                 : "");
  CLI::App* command = add(verb, description, example, [this, verb] {
    action_.verb = verb;
    return run_action(program_, action_);
  });
  command->add_option("SAGA", action_.saga, "The saga's definition")->required();
  command->add_option("ID", action_.id, "Its id")->required();
  command->add_option("--who", action_.who, "Who decides; stands in the history")->required();
  command->add_option("--why", action_.why, "Why; stands in the history")->required();
  command->add_option("--sequence", action_.sequence,
                      "Only if the saga still stands at this sequence (default: as it is now)");
  if (verb == "skip")
    command->add_option("--step", action_.ordinal,
                        "The ordinal of an open step (default: the step that is stuck)");
  if (verb == "skip")
    command
        ->add_option("--result", action_.result, "The step's result: JSON or @FILE; a compensation has none")
        ->type_name("JSON");
  command->add_option("--url", action_.url, "The orchestrator (default: http.listen)")->type_name("URL");
  return command;
}

void CommandLine::add_reset() {
  CLI::App* command =
      add_action("reset", "Let an open saga go on from an earlier transition, with the code as it is now");
  command->add_option("--to", action_.to, "The last transition that is to count, as `show` numbers them")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->required();
  command
      ->add_option("--effects", action_.effects,
                   "What took effect after it: compensate it before the saga goes on, or keep it")
      ->check(CLI::IsMember({"compensate", "keep"}))
      ->required();
  command->add_flag("--dry-run", action_.dry_run, "Only say what it would do");
}

void CommandLine::add_reprocess() {
  CLI::App* command =
      add("reprocess",
          "Run past trigger records through this binary's code: compare, sending nothing; with --start for "
          "real",
          "reprocess place-order --topic orders --from 2026-11-21T00:00:00Z --to 2026-11-22T00:00:00Z\n"
          "reprocess place-order --topic orders --partition 3 --from-offset 100 --to-offset 200 --start "
          "--suffix "
          "/again --who ann --why 'tax was wrong'",
          [this] { return run_reprocess(program_, reprocess_); });
  command->add_option("SAGA", reprocess_.saga, "The saga's definition")->required();
  command->add_option("--topic", reprocess_.topic, "A topic that its trigger reads")->required();
  command->add_option("--revision", reprocess_.revision, "Compare with this revision (default: the newest)")
      ->type_name("N");
  command->add_option("--partition", reprocess_.partition, "Only this partition")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--from", reprocess_.from, "From the first record of this time on")->type_name("TIME");
  command->add_option("--to", reprocess_.to, "To the first record of this time, without it")
      ->type_name("TIME");
  command->add_option("--from-offset", reprocess_.from_offset, "From this offset of --partition on")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--to-offset", reprocess_.to_offset, "To this offset, without it")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--start", reprocess_.start, "Start a saga for each, through a running orchestrator");
  command->add_option("--suffix", reprocess_.suffix,
                      "With --start: what the ids of the new sagas end in; the same again starts none twice");
  command->add_option("--who", reprocess_.who, "With --start: who decides; stands in the histories");
  command->add_option("--why", reprocess_.why, "With --start: why; stands in the histories");
  command->add_option("--url", reprocess_.url, "The orchestrator (default: http.listen)")->type_name("URL");
}

void CommandLine::add_batch() {
  CLI::App* command =
      add("batch", "An action on every saga that a filter finds; ended and asked for again it goes on",
          "batch retry --reason compensation-refused --who ann --why 'provider is back' --dry-run\nbatch "
          "cancel "
          "--definition place-order --status running --who ann --why 'recall'",
          [this] { return run_batch(program_, batch_); });
  command
      ->add_option("ACTION", batch_.action.verb, "retry, compensate, end, cancel, terminate, pause or resume")
      ->required()
      ->check(CLI::IsMember({"retry", "compensate", "end", "cancel", "terminate", "pause", "resume"}));
  command->add_option("--definition", batch_.definition, "Only sagas of this definition")->type_name("NAME");
  command->add_option("--status", batch_.status, "Their status")->type_name("STATUS")->capture_default_str();
  command->add_option("--reason", batch_.reason, "Only sagas stuck for this reason")->type_name("REASON");
  command->add_option("--limit", batch_.limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--before", batch_.before, "Only sagas older than this key: where a batch stopped")
      ->type_name("KEY");
  command->add_flag("--dry-run", batch_.dry_run, "Only say which sagas it would be");
  command->add_option("--who", batch_.action.who, "Who decides; stands in the histories")->required();
  command->add_option("--why", batch_.action.why, "Why; stands in the histories")->required();
  command->add_option("--url", batch_.action.url, "The orchestrator (default: http.listen)")
      ->type_name("URL");
}

void CommandLine::add_complete() {
  CLI::App* command =
      add("complete", "Complete a step by its token, which its local step or command gave away",
          "complete shop/place-order/o-17/3/action/1 --output '{\"id\":\"r-1\"}'\ncomplete "
          "shop/place-order/o-17/3/action/1 --code declined --message 'by hand'",
          [this] { return run_complete(program_, complete_); });
  command->add_option("TOKEN", complete_.token, "The attempt's token: the id of its command")->required();
  auto* output = command
                     ->add_option("--output", complete_.output,
                                  "The step's output: JSON, @FILE, or - for standard input (default: {})")
                     ->type_name("JSON");
  auto* code =
      command->add_option("--code", complete_.code, "It failed: the failure's code")->excludes(output);
  command->add_option("--message", complete_.message, "It failed: a sentence for people")->needs(code);
  command->add_flag("--retry", complete_.retry, "It failed, and may be tried again")->needs(code);
  command->add_option("--url", complete_.url, "The orchestrator (default: http.listen)")->type_name("URL");
}

void CommandLine::add_pauses() {
  CLI::App* pauses = app_->add_subcommand("pauses", "Pause a whole definition or a step type");
  pauses->require_subcommand(1);
  CLI::App* show = pauses->add_subcommand("show", "Show what is paused, since when, by whom and why");
  show->footer("Example:\n  " + program_.name + " pauses show");
  show->final_callback([this] { command_ = [this] { return run_pauses_show(program_); }; });
  CLI::App* begin = pauses->add_subcommand(
      "begin", "Of a definition nothing starts and nothing goes on; of a step type no attempt goes out");
  CLI::App* end = pauses->add_subcommand("end", "Go on with what was paused");
  for (CLI::App* command : {begin, end}) {
    auto* target = command->add_option_group("What", "One of them");
    target->add_option("--definition", pauses_.definition, "A saga's definition")->type_name("NAME");
    target->add_option("--step", pauses_.step, "A step type")->type_name("NAME");
    target->require_option(1);
    command->add_option("--who", pauses_.who, "Who decides")->required();
    command->add_option("--why", pauses_.why, "Why")->required();
    command->footer("Example:\n  " + program_.name + " pauses " + command->get_name() +
                    " --step charge-card --who ann --why 'the provider is in maintenance'");
    command->final_callback([this, ends = command == end] {
      pauses_.end = ends;
      command_ = [this] { return run_pauses_change(program_, pauses_); };
    });
  }
}

void CommandLine::add_schedules() {
  CLI::App* group = app_->add_subcommand("schedules", "Sagas started by the clock: cron and intervals");
  group->require_subcommand(1);
  const auto command = [&](const std::string& verb, const std::string& description, bool named,
                           const std::string& example, std::function<int()> run) {
    CLI::App* added = group->add_subcommand(verb, description);
    auto* name = added->add_option("NAME", schedules_.name, "The schedule's name");
    if (named) name->required();
    added->footer("Example:\n  " + program_.name + " schedules " + verb + example);
    added->final_callback([this, run = std::move(run)] { command_ = run; });
    return added;
  };
  command("show", "Show all schedules, or one in full", false, " nightly",
          [this] { return run_schedules_show(program_, schedules_); });
  CLI::App* put = command("put", "Make a schedule, or change the one of this name", true,
                          " nightly --saga close-day --cron '0 3 * * *' --time-zone Europe/Oslo --input "
                          "'{}' --who ann --why 'orders are closed at night'",
                          [this] { return run_schedules_put(program_, schedules_); });
  put->add_option("--saga", schedules_.saga, "The saga's definition")->required()->type_name("NAME");
  put->add_option("--input", schedules_.input, "Its input: JSON, @FILE, or - for standard input")
      ->required()
      ->type_name("JSON");
  put->add_option("--overlap", schedules_.overlap,
                  "While the saga before is open a tick starts (allow), does not (skip), or waits (wait)")
      ->capture_default_str();
  put->add_option("--catch-up", schedules_.catch_up, "Ticks that nobody looked at for longer are skipped")
      ->capture_default_str();
  CLI::App* preview = command("preview", "Show the next ticks of a schedule, or of a timing", false,
                              " --cron '0 3 * * *' --time-zone Europe/Oslo --count 5",
                              [this] { return run_schedules_preview(program_, schedules_); });
  preview->add_option("--count", schedules_.count, "So many")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  for (CLI::App* timed : {put, preview}) {
    timed->add_option("--cron", schedules_.cron, "Minute, hour, day of month, month, day of week; or @daily");
    timed->add_option("--time-zone", schedules_.time_zone, "Of --cron, like Europe/Oslo")
        ->capture_default_str();
    timed->add_option("--every", schedules_.every, "An interval like 15m instead");
    timed->add_option("--offset", schedules_.offset,
                      "By how much its ticks come after its multiples, like 5m");
  }
  add_schedule_changes(command);
}

template <class Command>
void CommandLine::add_schedule_changes(const Command& command) {
  using Kind = ScheduleChange::Kind;
  const struct {
    const char* verb;
    const char* description;
    Kind kind;
  } changes[] = {{"pause", "Let its ticks pass by until it is resumed", Kind::pause},
                 {"resume", "Go on with its first tick from now", Kind::resume},
                 {"delete", "Delete it; its sagas stay", Kind::remove}};
  for (const auto& change : changes)
    command(change.verb, change.description, true, " nightly --who ann --why 'a holiday'",
            [this, kind = change.kind] { return run_schedules_change(program_, schedules_, kind); });
  for (const char* verb : {"put", "pause", "resume", "delete"}) {
    CLI::App* changing = app_->get_subcommand("schedules")->get_subcommand(verb);
    changing->add_option("--who", schedules_.who, "Who decides")->required();
    changing->add_option("--why", schedules_.why, "Why")->required();
  }
  CLI::App* backfill =
      command("backfill", "Start the sagas of its past ticks now, through a running orchestrator", true,
              " nightly --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z",
              [this] { return run_schedules_backfill(program_, schedules_); });
  backfill->add_option("--from", schedules_.from, "The first moment, RFC 3339")
      ->required()
      ->type_name("TIME");
  backfill->add_option("--to", schedules_.to, "The first moment no more, RFC 3339")
      ->required()
      ->type_name("TIME");
  backfill->add_option("--url", schedules_.url, "The orchestrator (default: http.listen)")->type_name("URL");
}

}  // namespace skald::app
