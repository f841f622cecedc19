// Stack: a PostgreSQL and a Kafka of a test's own, to stop and to freeze. One thread.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "world.hpp"

namespace skald::e2e {

/// A private PostgreSQL and Kafka, removed with the object.
class Stack {
 public:
  Stack()
      : folder_(std::filesystem::temp_directory_path() / ("skald-e2e-stack-" + std::to_string(getpid()))) {
    start();
  }
  ~Stack() { static_cast<void>(run("remove")); }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  void start() {
    ASSERT_EQ(run("start"), 0);
    std::ifstream in{folder_ / "stack.env"};
    for (std::string line; std::getline(in, line);)
      values_[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  }
  [[nodiscard]] World::Cluster cluster() const {
    return {values_.at("SKALD_KAFKA"), values_.at("SKALD_POSTGRES")};
  }
  void signal(const std::string& name, int number) const { ::kill(std::stoi(values_.at(name)), number); }
  [[nodiscard]] bool is_running(const std::string& name) const {
    return ::kill(std::stoi(values_.at(name)), 0) == 0;
  }

 private:
  [[nodiscard]] int run(const std::string& command) const {
    Process process{{std::string(SKALD_SOURCE_DIR) + "/tools/stack", command, folder_.string()},
                    folder_.string() + ".log"};
    return process.wait(std::chrono::seconds(120)).value_or(-1);
  }

  std::filesystem::path folder_;
  std::map<std::string, std::string> values_;
};

}  // namespace skald::e2e
