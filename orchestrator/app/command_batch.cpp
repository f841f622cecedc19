// batch: an operator's action on every saga that a filter finds, the newest first. It can be ended at any time and asked for
// again: what is done no longer fits the filter, and the last line says where to go on.
#include "app/asking.hpp"
#include "app/commands.hpp"
#include "skald/json.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kPage = 500;

struct Found {
  std::string definition, id, reason, key;
};

struct Page {
  std::vector<Found> sagas;
  std::string before;  ///< of the next page; empty: there is none
};

std::string text_of(const json::Value& value, const char* name) {
  const auto member = value.find(name);
  return member && member->kind() == json::Kind::kString ? std::string(member->as_string()) : std::string();
}

Result<Page> next_page(const Config& config, const BatchOptions& options, const std::string& before) {
  std::string path =
      "/api/v1/sagas?status=" + api::percent_encoded(options.status) + "&limit=" + std::to_string(kPage);
  if (!options.definition.empty()) path += "&definition=" + api::percent_encoded(options.definition);
  if (!before.empty()) path += "&before=" + api::percent_encoded(before);
  const auto answer = api::ask({url_of(config, options.action.url), "GET", path, "", config.http.token});
  if (!answer) return answer.error();
  if (answer->status != 200) return error_of(*answer);
  const auto body =
      json::Document::parse(answer->body, {.maximum_bytes = 16 << 20, .maximum_members = 100'000});
  if (!body) return body.error();
  Page page;
  page.before = text_of(body->root(), "before");
  const auto sagas = body->root().find("sagas");
  for (std::size_t index = 0; sagas && index < sagas->size(); ++index) {
    const json::Value saga = sagas->element(index);
    page.sagas.push_back({text_of(saga, "definition"), text_of(saga, "id"), text_of(saga, "stuck_reason"),
                          text_of(saga, "key")});
  }
  return page;
}

/// What came of a batch so far.
struct Progress {
  std::size_t found = 0, done = 0, refused = 0;
  std::string last_key;
};

/// False: nobody answers any more.
bool take(const Program& program, const Config& config, const BatchOptions& options, const Found& saga,
          Progress& progress) {
  ++progress.found;
  if (options.dry_run) {
    print(saga.definition + " " + printable(saga.id, 255) + ": would " + options.action.verb +
          (saga.reason.empty() ? "" : " (" + printable(saga.reason) + ")") + "\n");
    progress.last_key = saga.key;
    return true;
  }
  ActionOptions action = options.action;
  action.saga = saga.definition;
  action.id = saga.id;
  const int code = act(program, config, action);
  if (code == kExitUnavailable) return false;
  ++(code == kExitOk ? progress.done : progress.refused);
  progress.last_key = saga.key;
  return true;
}

void report(const BatchOptions& options, const Progress& progress, bool more) {
  std::string text = std::to_string(progress.found) + " found";
  if (!options.dry_run)
    text +=
        ", " + std::to_string(progress.done) + " applied, " + std::to_string(progress.refused) + " refused";
  if (more && !progress.last_key.empty()) text += "; go on with --before " + progress.last_key;
  print(text + "\n");
}

}  // namespace

int run_batch(const Program& program, const BatchOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  Progress progress;
  std::string before = options.before;
  while (true) {
    const auto page = next_page(*config, options, before);
    if (!page) {
      if (progress.found > 0) report(options, progress, true);
      return program.fail(page.error());
    }
    for (const Found& saga : page->sagas) {
      if (!options.reason.empty() && saga.reason != options.reason) continue;
      if (progress.found == options.limit) {
        report(options, progress, true);
        return kExitOk;
      }
      if (!take(program, *config, options, saga, progress)) {
        report(options, progress, true);
        return kExitUnavailable;
      }
    }
    if (page->before.empty()) break;
    before = page->before;
  }
  report(options, progress, false);
  return progress.refused == 0 ? kExitOk : kExitNo;
}

}  // namespace skald::app
