// How subcommands read the configuration and end; see program.hpp.
#include "app/program.hpp"

#include <cstdio>

namespace skald::app {

Result<Config> Program::config(const Needs& needs) const {
  ConfigSources sources;
  sources.environment = environment();
  sources.file = config_file;
  if (const auto found = sources.environment.find("SKALD_CONFIG");
      sources.file.empty() && found != sources.environment.end())
    sources.file = found->second;
  sources.read_file = read_file;
  sources.names = names_of(registry);
  return load_config(sources, registry, needs);
}

Result<void> Program::could_start(const std::string& definition, const std::string& input) const {
  const SagaDefinition* saga = registry.saga(definition);
  if (saga == nullptr) {
    std::vector<std::string> known;
    for (const SagaDefinition& one : registry.sagas()) known.emplace_back(one.name);
    const std::string near = nearest(definition, known);
    return Error{ErrorKind::kInvalid, "SKALD-411",
                 "this binary has no saga named " + printable(definition) +
                     (near.empty() ? "" : "; did you mean " + near + "?")};
  }
  const auto canonical = saga->canonical_input(input);
  if (canonical) return {};
  return Error{ErrorKind::kInvalid, "SKALD-404",
               "the input does not fit saga " + definition + ": " + canonical.error().message};
}

void Program::complain(const Error& error) const {
  const std::string code = error.code.empty() ? "" : " (" + error.code + ")";
  std::fprintf(stderr, "%s: %s%s\n", name.c_str(), error.message.c_str(), code.c_str());
}

int Program::fail(const Error& error) const {
  complain(error);
  return exit_code_of(error);
}

int exit_code_of(const Error& error) {
  if (error.code.starts_with("SKALD-90")) return kExitUsage;
  switch (error.kind) {
    case ErrorKind::kInvalid: return kExitUsage;
    case ErrorKind::kRetry:
    case ErrorKind::kUnknown:
    case ErrorKind::kUnavailable: return kExitUnavailable;
    case ErrorKind::kRefused: break;
  }
  if (error.code == "SKALD-201" || error.code == "SKALD-202") return kExitUsage;  // properties of Kafka
  if (error.code == "SKALD-336" || error.code == "SKALD-337" || error.code == "SKALD-339")
    return kExitSchema;  // the schema, its migrations, the slots
  return error.code.starts_with("SKALD-9") ? kExitUnavailable : kExitCredentials;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace skald::app
