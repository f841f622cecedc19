// Flow: the nodes and edges of a saga as the explored runs went through it. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fault.hpp"
#include "skald/testing/explore.hpp"

namespace skald::testing::detail {

class Flow {
 public:
  using Node = Exploration::Node;

  explicit Flow(std::string_view saga);
  [[nodiscard]] static Node step(const Attempt& attempt, bool pivot);
  [[nodiscard]] static Node end(const std::string& end);

  /// A run begins.
  void begin();
  /// It comes here, from where it was.
  void reach(const Node& node);
  /// It goes on from here after this.
  void leave(const Fault& fault, bool compensation);
  void take(Exploration& result);

 private:
  std::vector<Node> nodes_;
  std::vector<std::pair<std::string, std::string>> order_;  ///< of edges, as first met
  std::map<std::pair<std::string, std::string>, std::set<std::string>> edges_;
  std::string at_;
  std::string label_;
};

}  // namespace skald::testing::detail
