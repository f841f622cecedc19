// skald::main: what a user's program calls.
#include <exception>

#include "app/command_line.hpp"
#include "skald/skald.hpp"

namespace skald {

int main(int argc, char** argv, Registry& registry) {
  std::string name = argc > 0 ? argv[0] : "skald";
  name = name.substr(name.rfind('/') + 1);
  app::Program program{name, registry, ""};
  try {
    return app::CommandLine(program).run(argc, argv);
  } catch (const std::exception& error) {
    program.complain(
        {ErrorKind::kInvalid, "SKALD-999", std::string("a defect of this program: ") + error.what()});
    return app::kExitSoftware;
  }
}

}  // namespace skald
