// The flow as explored, as Mermaid (mermaid.js.org, flowcharts) and as DOT (graphviz.org).
#include "flow.hpp"

#include <algorithm>

namespace skald::testing {
namespace detail {
namespace {

using Shape = Exploration::Node::Shape;

/// What of the fault shows in a drawing.
std::string label_of(const Fault& fault, bool compensation) {
  switch (fault.kind) {
    case Fault::Kind::refused: return fault.code.empty() ? "refused" : fault.code;
    case Fault::Kind::lost:
    case Fault::Kind::unanswered:
    case Fault::Kind::late: return "times out";
    default: return compensation ? "undone" : "succeeds";
  }
}

}  // namespace

Flow::Flow(std::string_view saga) : nodes_{{"start", std::string(saga), Shape::start}} {}

Exploration::Node Flow::step(const Attempt& attempt, bool pivot) {
  const bool undo = attempt.id.phase == engine::Phase::kCompensation;
  return {(undo ? "undo" : "step") + std::to_string(attempt.id.ordinal),
          (undo ? "undo " : "") + std::string(attempt.step->name),
          undo    ? Shape::undo
          : pivot ? Shape::pivot
                  : Shape::step};
}

Exploration::Node Flow::end(const std::string& end) {
  std::string id = "end_";
  for (const char c : end) id += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return {id, end, Shape::end};
}

void Flow::begin() {
  at_ = "start";
  label_.clear();
}

void Flow::reach(const Node& node) {
  const auto known =
      std::find_if(nodes_.begin(), nodes_.end(), [&node](const Node& one) { return one.id == node.id; });
  if (known == nodes_.end()) nodes_.push_back(node);
  const std::pair<std::string, std::string> edge{at_, node.id};
  const auto [place, fresh] = edges_.try_emplace(edge);
  if (fresh) order_.push_back(edge);
  if (!label_.empty()) place->second.insert(label_);
  at_ = node.id;
  label_.clear();
}

void Flow::leave(const Fault& fault, bool compensation) { label_ = label_of(fault, compensation); }

void Flow::take(Exploration& result) {
  result.nodes = std::move(nodes_);
  for (const auto& edge : order_) {
    const auto& labels = edges_.at(edge);
    result.edges.push_back({edge.first, edge.second, {labels.begin(), labels.end()}});
  }
}

}  // namespace detail

namespace {

std::string joined(const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

}  // namespace

std::string Exploration::mermaid() const {
  std::string text = "flowchart TD\n";
  for (const Node& node : nodes) {
    const char* open = node.shape == Node::Shape::pivot  ? "{{"
                       : node.shape == Node::Shape::undo ? "[/"
                       : node.shape == Node::Shape::step ? "["
                                                         : "([";
    const char* close = node.shape == Node::Shape::pivot  ? "}}"
                        : node.shape == Node::Shape::undo ? "/]"
                        : node.shape == Node::Shape::step ? "]"
                                                          : "])";
    text += "  " + node.id + open + '"' + node.text + '"' + close + "\n";
  }
  for (const Edge& edge : edges)
    text += "  " + edge.from + " -->" + (edge.labels.empty() ? "" : "|" + joined(edge.labels) + "|") + " " +
            edge.to + "\n";
  return text;
}

std::string Exploration::dot() const {
  std::string text = "digraph \"" + saga + "\" {\n";
  for (const Node& node : nodes) {
    const char* shape = node.shape == Node::Shape::pivot  ? "hexagon"
                        : node.shape == Node::Shape::undo ? "parallelogram"
                        : node.shape == Node::Shape::step ? "box"
                                                          : "ellipse";
    text += "  " + node.id + " [label=\"" + node.text + "\", shape=" + shape + "];\n";
  }
  for (const Edge& edge : edges)
    text += "  " + edge.from + " -> " + edge.to +
            (edge.labels.empty() ? "" : " [label=\"" + joined(edge.labels) + "\"]") + ";\n";
  return text + "}\n";
}

}  // namespace skald::testing
