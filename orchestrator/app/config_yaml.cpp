// The configuration file: YAML to a flat list of leaves with their lines. The only place that knows yaml-cpp;
// its exceptions become Errors here. Bounds: the text (by the caller), depth, number of leaves; a key given
// twice is refused, which yaml-cpp itself does not do.
#include <set>

#include <yaml-cpp/yaml.h>

#include "app/config_text.hpp"
#include "app/config_values.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kMaximumDepth = 8;
constexpr std::size_t kMaximumEntries = 10'000;

struct Refusal {
  int line;
  std::string what;
};

class Flattener {
 public:
  std::vector<FileEntry> entries;

  void add(const YAML::Node& node, std::vector<std::string>& path, int line) {
    if (path.size() > kMaximumDepth) throw Refusal{line, "sections are nested too deeply"};
    if (entries.size() >= kMaximumEntries) throw Refusal{line, "too many keys"};
    switch (node.Type()) {
      case YAML::NodeType::Map: return add_map(node, path, line);
      case YAML::NodeType::Sequence: return add_sequence(node, path, line);
      case YAML::NodeType::Scalar: entries.push_back({path, node.Scalar(), line, false, false}); return;
      default: entries.push_back({path, "", line, false, true});
    }
  }

 private:
  void add_map(const YAML::Node& node, std::vector<std::string>& path, int line) {
    if (node.size() == 0 && !path.empty()) entries.push_back({path, "", line, false, true});
    std::set<std::string> seen;
    for (const auto& member : node) {
      const int member_line = member.first.Mark().line + 1;
      if (!member.first.IsScalar()) throw Refusal{member_line, "a key is text, not a list or a section"};
      const std::string& key = member.first.Scalar();
      path.push_back(key);
      if (!seen.insert(key).second)
        throw Refusal{member_line, printable(key) + " is given twice in one section"};
      add(member.second, path, member_line);
      path.pop_back();
    }
  }

  void add_sequence(const YAML::Node& node, const std::vector<std::string>& path, int line) {
    std::string text;
    for (const auto& item : node) {
      if (!item.IsScalar()) throw Refusal{line, "a list holds plain values only"};
      text += (text.empty() ? "" : ",") + item.Scalar();
      if (text.size() > 65'536) throw Refusal{line, "the list is too long"};
    }
    entries.push_back({path, text, line, true, false});
  }
};

Error refuse(const std::string& file_name, int line, const std::string& what) {
  return {ErrorKind::kInvalid, kCodeFile, file_name + ":" + std::to_string(line) + ": " + what};
}

}  // namespace

Result<std::vector<FileEntry>> read_yaml(const std::string& file_name, const std::string& text) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1)
      return refuse(file_name, 1, "more than one YAML document; put everything into one");
    Flattener flattener;
    if (documents.empty() || documents.front().IsNull()) return flattener.entries;
    if (!documents.front().IsMap())
      return refuse(file_name, 1, "a configuration file is a YAML map, like `kafka:`");
    std::vector<std::string> path;
    flattener.add(documents.front(), path, 1);
    return std::move(flattener.entries);
  } catch (const Refusal& refusal) {
    return refuse(file_name, refusal.line, refusal.what);
  } catch (const YAML::Exception& error) {
    return refuse(file_name, error.mark.line + 1, "not YAML: " + printable(error.msg, 200));
  }
}

}  // namespace skald::app
