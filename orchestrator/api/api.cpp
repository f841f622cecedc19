// The routes; see api.hpp. docs/http-api.md describes them for callers.
#include "api/api.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/answers.hpp"
#include "api/saga_view.hpp"
#include "api/sessions.hpp"
#include "skald/json.hpp"
#include "wire/cloud_events.hpp"
#include "wire/command_id.hpp"

namespace skald::api {
namespace {

constexpr std::string_view kRoot = "/api/v1/";
constexpr std::size_t kMaximumListed = 1000;

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Equal, in a time that does not tell how far they are.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t index = 0; index < a.size(); ++index)
    difference |= static_cast<unsigned char>(a[index]) ^
                  static_cast<unsigned char>(b.empty() ? 0 : b[index % b.size()]);
  return difference == 0;
}

std::string header(const HttpRequest& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

/// Is the request meant for a loopback name? A web page that made its own name point here says another.
bool for_loopback(const HttpRequest& request) {
  std::string host = header(request, "host");
  if (!host.empty() && host.back() != ']') host = host.substr(0, host.rfind(':'));
  return host.empty() || host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

/// What stands behind a saga's id, which may hold slashes itself.
struct Ending {
  std::string what;  ///< actions, signals, updates, queries; empty: none of them
  std::string name;
};

Ending take_ending(std::string_view& rest) {
  constexpr std::string_view kActions = "/actions";
  if (rest.ends_with(kActions)) {
    rest.remove_suffix(kActions.size());
    return {"actions", ""};
  }
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return {};
  const std::string name(rest.substr(slash + 1));
  for (const std::string_view what : {"/signals", "/updates", "/queries"}) {
    if (!rest.substr(0, slash).ends_with(what) || !wire::is_valid_name(name)) continue;
    rest = rest.substr(0, slash - what.size());
    return {std::string(what.substr(1)), name};
  }
  return {};
}

}  // namespace

Api::Api(ApiSettings settings, Control& control, const std::vector<Database>& databases)
    : settings_(std::move(settings)), control_(control) {
  for (const Database& one : databases) {
    databases_.push_back(
        {one.name, one.slots, std::make_unique<Sessions>(*one.store, settings_.sessions, settings_.waiting)});
    metrics_.push_back(one.metrics);
  }
}

Api::~Api() = default;

HttpResponse Api::handle(const HttpRequest& request) {
  const bool reading = request.method == "GET";
  if (request.path == "/healthz") return reading ? health() : wrong_method("GET");
  if (request.path == "/readyz") return reading ? readiness() : wrong_method("GET");
  if (request.path == "/metrics")
    return reading ? HttpResponse{200, Metrics::text(metrics_), "text/plain; version=0.0.4; charset=utf-8"}
                   : wrong_method("GET");
  if (!request.path.starts_with(kRoot))
    return refuse(404, kNotFound, "no such address; the API is below /api/v1/");
  return admitted(request);
}

HttpResponse Api::admitted(const HttpRequest& request) {
  if (!settings_.token.empty() &&
      !same_secret(header(request, "authorization"), "Bearer " + settings_.token)) {
    HttpResponse response = refuse(
        401, "SKALD-952", "this needs the header Authorization: Bearer TOKEN with the token of http.token");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  if (settings_.local_only && !for_loopback(request))
    return refuse(421, "SKALD-959", "this port takes requests for 127.0.0.1 and localhost only");
  // A web page in somebody's browser cannot send this type elsewhere without being asked first.
  const std::string type = header(request, "content-type");
  if (request.method == "POST" && type.substr(0, type.find(';')) != "application/json")
    return refuse(415, kBadRequest, "send JSON, with the header Content-Type: application/json");
  return route(request);
}

HttpResponse Api::route(const HttpRequest& request) {
  std::string_view rest = std::string_view(request.path).substr(kRoot.size());
  const bool reading = request.method == "GET";
  const bool writing = request.method == "POST";
  if (rest == "positions") return reading ? positions() : wrong_method("GET");
  if (rest == "pauses")
    return reading   ? pauses()
           : writing ? limited([&] { return change_pause(request); })
                     : wrong_method("GET, POST");
  if (rest == "schedules")
    return reading   ? schedules()
           : writing ? limited([&] { return change_schedules(request); })
                     : wrong_method("GET, POST");
  if (rest == "completions")
    return writing ? limited([&] { return complete(request); }) : wrong_method("POST");
  if (rest == "sagas") return reading ? list(request) : wrong_method("GET");
  if (!rest.starts_with("sagas/"))
    return refuse(404, kNotFound,
                  "no such address; there are /api/v1/sagas, /api/v1/completions, /api/v1/pauses, "
                  "/api/v1/schedules and /api/v1/positions");
  rest.remove_prefix(6);
  const std::string definition(rest.substr(0, rest.find('/')));
  if (!wire::is_valid_name(definition))
    return refuse(404, kNotFound, "a saga's name is 1 to 63 characters of A-Z a-z 0-9 . _ -");
  if (definition.size() == rest.size())
    return writing ? limited([&] { return start(request, definition); }) : wrong_method("POST");
  rest.remove_prefix(definition.size() + 1);
  const Ending ending = reading ? Ending{} : take_ending(rest);
  if (!reading && (!writing || ending.what.empty()))
    return wrong_method(
        "GET, or POST with /actions, /signals/NAME, /updates/NAME or /queries/NAME at its end");
  if (!wire::is_valid_saga_id(rest))
    return refuse(404, kNotFound, "a saga id is 1 to 255 visible ASCII characters");
  const SagaAddress address{definition, std::string(rest)};
  if (reading) return show(address);
  if (ending.what == "queries") return query(request, address, ending.name);
  return limited([&] {
    if (ending.what == "signals") return signal(request, address, ending.name);
    if (ending.what == "updates") return update(request, address, ending.name);
    return act(request, address);
  });
}

HttpResponse Api::limited(const std::function<HttpResponse()>& change) {
  struct Leave {
    std::atomic<int>& count;
    ~Leave() { --count; }
  };
  const bool admitted = ++changing_ <= settings_.changes;
  const Leave leave{changing_};
  return admitted ? change()
                  : refuse(Error{ErrorKind::kUnavailable, kBusy, "too many requests at once; try again"});
}

HttpResponse Api::health() {
  const Control::Health health = control_.health();
  json::Writer writer;
  writer.begin_object();
  text_member(writer, "status", health.alive ? "alive" : "stalled");
  if (!health.alive) text_member(writer, "reason", health.reason);
  writer.end_object();
  return answer(health.alive ? 200 : 503, writer.take());
}

HttpResponse Api::readiness() {
  const Control::Readiness readiness = control_.readiness();
  const bool ready = readiness.store && readiness.bus;
  json::Writer writer;
  writer.begin_object();
  text_member(writer, "status", ready ? "ready" : "not ready");
  text_member(writer, "postgresql", readiness.store ? "reached" : readiness.store_reason);
  text_member(writer, "kafka", readiness.bus ? "reached" : readiness.bus_reason);
  writer.end_object();
  return answer(ready ? 200 : 503, writer.take());
}

HttpResponse Api::list(const HttpRequest& request) {
  ListFilter filter;
  for (const auto& [name, value] : request.query) {
    bool fits = true;
    if (name == "definition") {
      filter.definition = value;
      fits = wire::is_valid_name(value);
    } else if (name == "status") {
      filter.open_only = value == "open";
      filter.status = parse_status(value);
      fits = filter.open_only || filter.status.has_value();
    } else if (name == "limit") {
      const auto limit = number_of<std::size_t>(value);
      fits = limit && *limit >= 1 && *limit <= kMaximumListed;
      filter.maximum = limit.value_or(50);
    } else if (name == "before" || name == "after") {
      const bool first = !filter.page_from;
      filter.page_from = number_of<SagaKey>(value);
      filter.oldest_first = name == "after";
      fits = first && filter.page_from;
    } else {
      return refuse(400, kBadRequest, "there are the parameters definition, status, limit, before and after");
    }
    if (!fits)
      return refuse(
          400, kBadRequest,
          "definition takes a name, status open or a saga's status, limit 1 to 1000, before or after "
          "a key");
  }
  std::vector<SagaRow> rows;
  for (const Served& one : databases_) {
    auto found = one.sessions->with([&](Session& session) { return session.list(filter); });
    if (!found) return refuse(found.error());
    rows.insert(rows.end(), std::make_move_iterator(found->begin()), std::make_move_iterator(found->end()));
  }
  // Each database gave its own first ones; a key begins with the time.
  std::sort(rows.begin(), rows.end(), [&filter](const SagaRow& a, const SagaRow& b) {
    return filter.oldest_first ? a.key < b.key : a.key > b.key;
  });
  if (rows.size() > filter.maximum) rows.resize(filter.maximum);
  json::Writer writer;
  writer.begin_object();
  writer.key("sagas");
  writer.begin_array();
  for (const SagaRow& row : rows) {
    writer.begin_object();
    write_saga(writer, row);
    writer.end_object();
  }
  writer.end_array();
  if (rows.size() == filter.maximum)
    text_member(writer, filter.oldest_first ? "after" : "before", std::to_string(rows.back().key));
  writer.end_object();
  return answer(200, writer.take());
}

Result<StoredSaga> Api::load(const SagaAddress& address, Runs runs) {
  const int slot = wire::slot_of(address.saga_id);
  const auto owner = std::find_if(databases_.begin(), databases_.end(),
                                  [slot](const Served& one) { return one.slots.contains(slot); });
  if (owner == databases_.end())
    return Error{ErrorKind::kRefused, "SKALD-416",
                 "the saga would be in a database that this process does not serve"};
  auto sagas = owner->sessions->with([&](Session& session) {
    return session.load({&address, 1}, Session::kNoLimit, runs);
  });
  if (!sagas) return sagas.error();
  if (sagas->empty())
    return Error{ErrorKind::kInvalid, kNotFound,
                 "there is no saga " + address.definition + "/" + address.saga_id};
  return std::move(sagas->front());
}

HttpResponse Api::show(const SagaAddress& address) {
  const auto saga = load(address);
  return saga ? answer(200, saga_json(*saga)) : refuse(saga.error());
}

HttpResponse Api::start(const HttpRequest& request, const std::string& definition) {
  const auto body = json::Document::parse(request.body);
  if (!body) return refuse(400, body.error().code, body.error().message);
  const auto id = text_of(body->root(), "id", wire::kMaximumSagaIdBytes, true);
  if (!id) return refuse(id.error());
  if (!wire::is_valid_saga_id(*id))
    return refuse(400, kBadRequest, "/id takes 1 to 255 visible ASCII characters");
  const auto input = body->root().find("input");
  if (!input) return refuse(400, kBadRequest, "/input is missing: the saga's input");
  const auto origin = text_of(body->root(), "origin", kMaximumReasonBytes, false);
  if (!origin) return refuse(origin.error());
  const std::string caller = "api: " + request.remote;
  const auto started = control_.start({definition, *id}, input->text(),
                                      origin->empty() ? caller : *origin + " (" + caller + ")");
  if (!started) return refuse(started.error());
  json::Writer writer;
  writer.begin_object();
  text_member(writer, "definition", definition);
  text_member(writer, "id", *id);
  text_member(writer, "result", started->duplicate ? "exists" : "started");
  writer.end_object();
  return answer(started->duplicate ? 200 : 201, writer.take());
}

HttpResponse Api::positions() {
  const auto cluster = control_.cluster_id();
  if (!cluster) return refuse(cluster.error());
  json::Writer writer;
  writer.begin_object();
  text_member(writer, "cluster", *cluster);
  writer.key("positions");
  writer.begin_array();
  for (const Served& one : databases_) {
    const auto positions = one.sessions->with([&](Session& session) { return session.positions(*cluster); });
    if (!positions) return refuse(positions.error());
    for (const Position& position : *positions) write_position(writer, one.name, position);
  }
  writer.end_array();
  writer.end_object();
  return answer(200, writer.take());
}

}  // namespace skald::api
