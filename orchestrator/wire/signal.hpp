// A signal as a CloudEvent on Skald's signal topic: `ce_type` is the signal's name, `ce_sagadefinition` and
// `ce_correlationid` (or `ce_subject`) name the saga, `ce_source` with `ce_id` tell it from every other. Pure.
#pragma once

#include <string>

#include "skald/record.hpp"
#include "skald/result.hpp"

namespace skald::wire {

struct Signal {
  std::string definition;
  std::string saga_id;
  std::string name;
  std::string source;
  std::string id;
  std::string data;  ///< JSON
};

/// Of a record in binary mode whose limits were checked. kInvalid: names the attribute that is missing or not allowed.
[[nodiscard]] Result<Signal> signal_from(const Record& record);

}  // namespace skald::wire
