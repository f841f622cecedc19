// Writing and reading exported histories.
#include "app/history_file.hpp"

#include <charconv>

#include "api/saga_view.hpp"
#include "app/config.hpp"
#include "skald/json.hpp"
#include "wire/command_id.hpp"

namespace skald::app {
namespace {

constexpr json::Limits kLimits{.maximum_bytes = 256u << 20, .maximum_members = 10'000'000};

Error wrong(const std::string& member, const std::string& takes) {
  return {ErrorKind::kInvalid, "SKALD-925", "/" + member + " takes " + takes};
}

Result<std::string> text_in(const json::Value& object, const char* name) {
  const auto found = object.find(name);
  if (!found || found->kind() != json::Kind::kString) return wrong(name, "a text");
  return std::string(found->as_string());
}

Result<std::int64_t> number_in(const json::Value& object, const char* name) {
  const auto found = object.find(name);
  const auto number = found ? found->as_int64() : std::nullopt;
  if (!number || *number < 1) return wrong(name, "a whole number from 1");
  return *number;
}

Result<void> read_row(const json::Value& object, SagaRow& row) {
  const auto definition = text_in(object, "definition");
  if (!definition) return definition.error();
  const auto id = text_in(object, "id");
  if (!id) return id.error();
  row.address = {*definition, *id};
  if (!wire::is_valid_name(*definition) || !wire::is_valid_saga_id(*id)) return wrong("id", "a saga's id");
  const auto status = text_in(object, "status");
  if (!status) return status.error();
  const auto known = api::parse_status(*status);
  if (!known) return wrong("status", "a saga's status");
  row.status = *known;
  const auto key = text_in(object, "key");
  if (!key) return key.error();
  if (std::from_chars(key->data(), key->data() + key->size(), row.key).ec != std::errc())
    return wrong("key", "a number, as a text");
  const auto revision = number_in(object, "revision");
  if (!revision) return revision.error();
  row.revision = static_cast<std::int32_t>(*revision);
  const auto sequence = number_in(object, "sequence");
  if (!sequence) return sequence.error();
  row.sequence = *sequence;
  const auto run_from = number_in(object, "run_from");
  if (!run_from) return run_from.error();
  row.run_from = *run_from;
  return {};
}

}  // namespace

std::string to_history_line(const StoredSaga& saga) {
  json::Writer writer;
  writer.begin_object();
  const auto text = [&writer](const char* name, std::string_view value) {
    writer.key(name);
    writer.string(value);
  };
  const auto number = [&writer](const char* name, std::int64_t value) {
    writer.key(name);
    writer.integer(value);
  };
  text("definition", saga.row.address.definition);
  text("id", saga.row.address.saga_id);
  number("revision", saga.row.revision);
  text("status", to_string(saga.row.status));
  number("sequence", saga.row.sequence);
  number("run_from", saga.row.run_from);
  text("key", std::to_string(saga.row.key));
  writer.key("history");
  writer.begin_array();
  for (const HistoryRow& row : saga.history) {
    writer.begin_object();
    number("sequence", row.sequence);
    text("events", row.events);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return writer.take() + "\n";
}

Result<StoredSaga> from_history_line(std::string_view line) {
  const auto document = json::Document::parse(line, kLimits);
  if (!document) return document.error();
  StoredSaga saga;
  if (auto read = read_row(document->root(), saga.row); !read) return read.error();
  const auto history = document->root().find("history");
  if (!history || history->kind() != json::Kind::kArray) return wrong("history", "a list of rows");
  for (std::size_t index = 0; index < history->size(); ++index) {
    const json::Value row = history->element(index);
    const auto sequence = number_in(row, "sequence");
    const auto events = text_in(row, "events");
    if (!sequence || !events)
      return wrong("history/" + std::to_string(index), "an object with sequence and events");
    saga.history.push_back({*sequence, *events});
  }
  return saga;
}

}  // namespace skald::app
