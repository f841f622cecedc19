// The demo as a new user runs it, with fewer orders.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

TEST(Demo, TwoHundredOrdersKeepEveryPromiseThroughAKill) {
  const auto log =
      std::filesystem::temp_directory_path() / ("skald-demo-" + std::to_string(getpid()) + ".log");
  Process demo{
      {std::string(SKALD_SOURCE_DIR) + "/examples/order/demo", SKALD_BUILD_DIR, "--orders", "200", "--json"},
      log.string()};
  EXPECT_EQ(demo.wait(170s), 0) << demo.output();
  auto output = demo.output();
  while (output.ends_with('\n')) output.pop_back();
  const Outcome result{0, output.substr(output.rfind('\n') + 1)};
  EXPECT_EQ(result.number("sagas"), 200) << output;
  EXPECT_EQ(result.number("completed") + result.number("compensated"), 200);
  EXPECT_EQ(result.number("stuck"), 0);
  EXPECT_EQ(result.number("lost"), 0);
  EXPECT_EQ(result.number("double_effects"), 0);
  EXPECT_EQ(result.number("kills"), 1);
  EXPECT_GT(result.number("p99_ms"), 0);
  EXPECT_GE(result.number("p99_ms"), result.number("p50_ms"));
  std::filesystem::remove(log);
}

}  // namespace
}  // namespace skald::e2e
