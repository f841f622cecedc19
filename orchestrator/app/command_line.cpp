// The command line itself, and the subcommands that read or run by themselves.
#include "app/command_line.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "app/config_text.hpp"
#include "app/version.hpp"

namespace skald::app {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 the answer is no, 2 wrong usage or configuration, 69 something is unavailable,\n"
    "70 a defect, 77 PostgreSQL or Kafka refuses us, 78 the database's schema or slots do not fit.";

}  // namespace

CommandLine::CommandLine(Program& program)
    : program_(program), app_(std::make_unique<CLI::App>("", program.name)) {
  app_->description(program.name + ": sagas on Kafka and PostgreSQL, run by Skald " + kVersion);
  app_->footer(std::string("Each command explains itself: ") + program.name + " serve --help\n" + kExitCodes);
  app_->require_subcommand(1);
  app_->set_version_flag("--version", program.name + " with Skald " + kVersion + ", build " + build_id());
  app_->add_option("-c,--config", program.config_file, "YAML file with the configuration (or SKALD_CONFIG)")
      ->type_name("FILE");
  app_->fallthrough();
  add_running();
  add_reading();
  add_asking();
}

CommandLine::~CommandLine() = default;

int CommandLine::run(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(app_->help().c_str(), stderr);
    return kExitUsage;
  }
  if (const std::string word = argv[1]; !word.starts_with('-') && !is_command(word))
    return unknown_command(word);
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app_->exit(success) == 0 ? kExitOk : kExitUsage;
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    for (char& c : message)
      if (c == '\n') c = ' ';
    program_.complain({ErrorKind::kInvalid, kCodeUsage, printable(message, 400) + "; see --help"});
    return kExitUsage;
  }
  return command_();
}

std::vector<std::string> CommandLine::command_names() {
  std::vector<std::string> names;
  for (const CLI::App* command : app_->get_subcommands({})) names.push_back(command->get_name());
  return names;
}

bool CommandLine::is_command(const std::string& word) {
  for (const std::string& name : command_names())
    if (name == word) return true;
  return false;
}

int CommandLine::unknown_command(const std::string& word) {
  const std::string near = nearest(word, command_names());
  program_.complain({ErrorKind::kInvalid, kCodeUsage,
                     "there is no command " + printable(word) +
                         (near.empty() ? "; see --help" : "; did you mean " + near + "?")});
  return kExitUsage;
}

CLI::App* CommandLine::add(const std::string& name, const std::string& description,
                           const std::string& examples, std::function<int()> run) {
  CLI::App* command = app_->add_subcommand(name, description);
  std::string footer = "Examples:";
  std::string rest = examples;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    footer += "\n  " + program_.name + " " + rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  command->footer(footer + "\nEvery command takes --config FILE as well.");
  command->final_callback([this, run = std::move(run)] { command_ = run; });
  return command;
}

void CommandLine::add_running() {
  CLI::App* serve = add("serve", "Run sagas until SIGTERM, then finish what is under way",
                        "serve --config skald.yaml\nserve   # configured by SKALD_… variables",
                        [this] { return run_serve(program_, serve_); });
  serve->add_option("--database", serve_.databases, "Of several databases only this one; may be repeated")
      ->type_name("NAME");
  add("migrate", "Create or update the tables; needs rights that serve does not",
      "migrate --config skald.yaml", [this] { return run_migrate(program_); });
  CLI::App* dev =
      add("dev", "Run sagas with a broker and a database of their own, for development",
          "dev\ndev --config order.yaml --data ./dev-data", [this] { return run_dev(program_, dev_); });
  dev->add_option("--data", dev_.data, "Keep the database in this folder")->type_name("DIR");
  dev->add_option("--address-file", dev_.address_file, "Where the addresses are written")
      ->type_name("FILE")
      ->capture_default_str();
  CLI::App* topics =
      add("topics", "Show which topics the configuration needs and how they are, or create those missing",
          "topics --plan\ntopics --apply", [this] { return run_topics(program_, topics_); });
  CLI::Option* plan = topics->add_flag("--plan", topics_.plan, "Show them; exit code 1 if not all is well");
  topics->add_flag("--apply", topics_.apply, "Create those that are missing; nothing else is changed")
      ->excludes(plan);
  CLI::App* check =
      add("check-config", "Check the configuration, or show every key with its value and origin",
          "check-config --config skald.yaml\ncheck-config --reference",
          [this] { return run_check_config(program_, check_); });
  check->add_flag("--reference", check_.reference, "Print the table of all keys instead");
}

void CommandLine::add_reading() {
  CLI::App* list = add("list", "List sagas, the newest first",
                       "list\nlist --status stuck\nlist --status open --oldest\nlist --definition "
                       "place-order --json | jq .id",
                       [this] { return run_list(program_, list_); });
  list->add_option("--definition", list_.definition, "Only sagas of this definition")->type_name("NAME");
  list->add_option("--status", list_.status,
                   "open, running, rolling_back, stuck, completed, compensated, cancelled or terminated")
      ->type_name("STATUS");
  list->add_option("--limit", list_.limit, "At most so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  list->add_flag("--oldest", list_.oldest, "The oldest first");
  list->add_flag("--json", list_.json, "One JSON object a line");
  CLI::App* show =
      add("show", "Show a saga's history as a timeline", "show o-17\nshow o-17 --json | jq .history",
          [this] { return run_show(program_, show_); });
  show->add_option("ID", show_.id, "The saga's id")->required();
  show->add_option("--saga", show_.definition, "Its definition, if several have this id")->type_name("NAME");
  show->add_flag("--json", show_.json, "Everything, as one JSON object");
  add_replaying();
  add_positions();
  add_slots();
}

void CommandLine::add_replaying() {
  CLI::App* preflight =
      add("preflight", "Before a deploy: replay every open saga with this binary, and say what would break",
          "preflight --config skald.yaml\npreflight --time-limit 2m",
          [this] { return run_preflight(program_, preflight_); });
  preflight->add_option("--time-limit", preflight_.time_limit, "Give up after this (exit code 69)")
      ->type_name("DURATION")
      ->capture_default_str();
  CLI::App* exporting = add("export", "Write histories to standard output, for replay: a JSON object a line",
                            "export o-17\nexport --definition place-order --status stuck > stuck.jsonl",
                            [this] { return run_export(program_, export_); });
  exporting->add_option("ID", export_.id, "Only the sagas of this id");
  exporting->add_option("--definition", export_.definition, "Only sagas of this definition")
      ->type_name("NAME");
  exporting->add_option("--status", export_.status, "open, or a saga's status")->type_name("STATUS");
  exporting->add_option("--limit", export_.limit, "The newest so many")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  CLI::App* replay = add("replay", "Replay exported histories with this binary", "replay stuck.jsonl",
                         [this] { return run_replay(program_, replay_); });
  replay->add_option("FILE", replay_.files, "Written by export")->required();
}

void CommandLine::add_slots() {
  CLI::App* slots = app_->add_subcommand("slots", "Which of several databases has which share of the sagas");
  slots->require_subcommand(1);
  CLI::App* show = slots->add_subcommand("show", "Show the slots as configured and as each database says");
  show->footer("Example:\n  " + program_.name + " slots show");
  show->final_callback([this] { command_ = [this] { return run_slots_show(program_); }; });
  CLI::App* move =
      slots->add_subcommand("move", "Move slots with their sagas, while no process runs on either");
  move->add_option("SLOTS", slots_.slots, "Which, like 512-1023")->required();
  move->add_option("--from", slots_.from, "The database that has them")->required()->type_name("NAME");
  move->add_option("--to", slots_.to, "The database that gets them")->required()->type_name("NAME");
  move->add_option("--who", slots_.who, "Who decides")->required();
  move->add_option("--why", slots_.why, "Why")->required();
  move->add_flag("--silent-are-ended", slots_.silent_are_ended,
                 "Processes that ended without saying so, and whose lease has passed, have really ended");
  move->footer("Example:\n  " + program_.name +
               " slots move 512-1023 --from first --to second --who ann --why 'first is full'");
  move->final_callback([this] { command_ = [this] { return run_slots_move(program_, slots_); }; });
}

void CommandLine::add_positions() {
  CLI::App* positions = app_->add_subcommand(
      "positions", "How far each partition is applied, and where to go on after a mismatch");
  positions->require_subcommand(1);
  CLI::App* show = positions->add_subcommand("show", "Show the recorded positions of the cluster");
  show->add_flag("--json", positions_.json, "One JSON object a line");
  show->footer("Example:\n  " + program_.name + " positions show");
  show->final_callback([this] { command_ = [this] { return run_positions_show(program_, positions_); }; });
  CLI::App* accept =
      positions->add_subcommand("accept", "Go on at this offset with a partition that stopped");
  accept->add_option("--topic", positions_.topic, "Its topic")->required();
  accept->add_option("--partition", positions_.partition, "Its number")
      ->required()
      ->check(CLI::NonNegativeNumber);
  accept->add_option("--offset", positions_.offset, "The next offset to read")
      ->required()
      ->check(CLI::NonNegativeNumber);
  accept->add_option("--database", positions_.database, "Of several databases the one that stopped")
      ->type_name("NAME");
  accept->add_option("--who", positions_.who, "Who decides")->required();
  accept->add_option("--why", positions_.why, "Why")->required();
  accept->footer(
      "Example:\n  " + program_.name +
      " positions accept --topic orders --partition 3 --offset 0 --who ann --why 'topic was recreated'");
  accept->final_callback(
      [this] { command_ = [this] { return run_positions_accept(program_, positions_); }; });
}

void CommandLine::add_dead_letters() {
  CLI::App* group = app_->add_subcommand("dead-letters", "Records that were not understood or not wanted");
  group->require_subcommand(1);
  CLI::App* list = group->add_subcommand("list", "Show those of a topic, each with its reason");
  list->footer("Example:\n  " + program_.name + " dead-letters list --topic orders --code SKALD-103");
  list->add_flag("--json", dead_letters_.json, "As JSON, with values and headers whole");
  list->final_callback(
      [this] { command_ = [this] { return run_dead_letters_list(program_, dead_letters_); }; });
  CLI::App* redrive =
      group->add_subcommand("redrive", "Put them back on their topic, the cause being mended");
  redrive->footer(
      "Example:\n  " + program_.name +
      " dead-letters redrive --topic orders --code SKALD-103 --who ann --why 'field is optional now'");
  redrive->add_flag("--all", dead_letters_.all, "All of the topic");
  redrive->add_flag("--dry-run", dead_letters_.dry_run, "Only say which");
  redrive->add_option("--who", dead_letters_.who, "Who decides; stands in a header");
  redrive->add_option("--why", dead_letters_.why, "Why; stands in a header");
  redrive->final_callback(
      [this] { command_ = [this] { return run_dead_letters_redrive(program_, dead_letters_); }; });
  for (CLI::App* command : {list, redrive}) {
    command->add_option("--topic", dead_letters_.topic, "The topic that they were on, or its -dlt")
        ->required();
    command->add_option("--code", dead_letters_.code, "Of this reason, like SKALD-103");
    command->add_option("--partition", dead_letters_.partition, "Only this partition")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--offset", dead_letters_.offset, "Only this one, by its offset on the -dlt topic")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--from", dead_letters_.from, "From the first dead letter of this time on")
        ->type_name("TIME");
    command->add_option("--to", dead_letters_.to, "To the first of this time, without it")->type_name("TIME");
    command->add_option("--limit", dead_letters_.limit, "At most so many (list: the newest 50; redrive: all)")
        ->check(CLI::PositiveNumber);
  }
}

}  // namespace skald::app
