// The one header a saga author includes. The binary that runs is the author's own: fill a Registry, hand it
// to skald::main, link skald::skald.
#pragma once

#include "skald/fields.hpp"
#include "skald/handlers.hpp"
#include "skald/record.hpp"
#include "skald/registry.hpp"
#include "skald/saga.hpp"
#include "skald/step.hpp"

namespace skald {

/// The whole command line (`serve`, `migrate`, `dev`, `start`, `list`, `show`, …; `--help` explains each).
/// Blocks until the command ends; `serve` ends on SIGTERM or SIGINT after draining. Returns the exit code.
int main(int argc, char** argv, Registry& registry);

}  // namespace skald
