// The contract of the Bus port, run on each implementation: a binary compiles bus_contract.cpp and instantiates
// the suite BusContract with a function that makes a harness.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ports/bus.hpp"

namespace skald::contract {

/// One implementation under test; topics and groups of one harness are nobody else's.
class BusHarness {
 public:
  virtual ~BusHarness() = default;
  virtual Bus& bus() = 0;
  /// A name for a topic or a group that no other test uses.
  virtual std::string unique(const std::string& name) = 0;
  /// Whether publishing to a topic that does not exist is refused. The mock cluster makes the topic instead.
  [[nodiscard]] virtual bool refuses_unknown_topics() const { return true; }
  /// Whether it finds offsets by time.
  [[nodiscard]] virtual bool knows_times() const { return true; }
};

using MakeHarness = std::unique_ptr<BusHarness> (*)();

class BusContract : public ::testing::TestWithParam<MakeHarness> {};

}  // namespace skald::contract
