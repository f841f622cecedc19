// Reading a signal's attributes.
#include "wire/signal.hpp"

#include "wire/command_id.hpp"
#include "wire/payload.hpp"

namespace skald::wire {
namespace {

struct Attribute {
  const char* header;
  bool (*is_valid)(std::string_view);
  std::string Signal::*field;
};

}  // namespace

Result<Signal> signal_from(const Record& record) {
  const bool correlated = record.header("ce_correlationid").has_value();
  const Attribute attributes[] = {
      {"ce_type", is_valid_name, &Signal::name},
      {"ce_sagadefinition", is_valid_name, &Signal::definition},
      {correlated ? "ce_correlationid" : "ce_subject", is_valid_saga_id, &Signal::saga_id},
      {"ce_source", is_valid_id, &Signal::source},
      {"ce_id", is_valid_id, &Signal::id},
  };
  Signal signal;
  for (const Attribute& attribute : attributes) {
    const auto value = record.header(attribute.header);
    if (!value)
      return Error{ErrorKind::kInvalid, kCodeAttribute, std::string(attribute.header) + ": missing"};
    if (!attribute.is_valid(*value))
      return Error{ErrorKind::kInvalid, kCodeAttribute,
                   std::string(attribute.header) + ": not allowed: wrong characters or length"};
    signal.*attribute.field = *value;
  }
  if (!record.value) return Error{ErrorKind::kInvalid, kCodePayload, "the value is null"};
  if (auto checked = check_payload(*record.value); !checked) return checked.error();
  signal.data = *record.value;
  return signal;
}

}  // namespace skald::wire
