// What a saga answers to a name it does not have.
#include "skald/handlers.hpp"

namespace skald::detail {

Error no_such_handler(std::string_view kind, std::string_view name, const std::string& known) {
  std::string message =
      "the saga takes no " + std::string(kind) + " named " + std::string(name.substr(0, 100));
  message += known.empty() ? "; it takes none" : "; it takes " + known;
  return {ErrorKind::kInvalid, "", std::move(message)};
}

}  // namespace skald::detail
