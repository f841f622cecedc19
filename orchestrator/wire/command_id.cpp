// Formatting and parsing of command ids. Parsing accepts exactly what formatting writes: one id, one
// spelling.
#include "wire/command_id.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace skald::wire {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

/// Digits without sign or leading zeros, so that a number has one spelling.
std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9' || (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string_view> take_first(std::string_view& rest) {
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto part = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  return part;
}

std::optional<std::string_view> take_last(std::string_view& rest) {
  const auto slash = rest.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto part = rest.substr(slash + 1);
  rest.remove_suffix(part.size() + 1);
  return part;
}

}  // namespace

std::string_view to_string(Phase phase) { return phase == Phase::kAction ? "action" : "compensation"; }

std::optional<Phase> parse_phase(std::string_view text) {
  if (text == "action") return Phase::kAction;
  if (text == "compensation") return Phase::kCompensation;
  return std::nullopt;
}

std::string format(const CommandId& id) {
  std::string text;
  text.reserve(id.ns.size() + id.definition.size() + id.saga_id.size() + 40);
  text.append(id.ns).append(1, '/').append(id.definition).append(1, '/').append(id.saga_id).append(1, '/');
  text.append(std::to_string(id.ordinal)).append(1, '/');
  text.append(to_string(id.phase)).append(1, '/').append(std::to_string(id.attempt));
  return text;
}

std::optional<CommandId> parse_command_id(std::string_view text) {
  if (text.size() > kMaximumIdBytes) return std::nullopt;
  const auto ns = take_first(text);
  if (!ns || !is_valid_name(*ns)) return std::nullopt;
  const auto definition = take_first(text);
  if (!definition || !is_valid_name(*definition)) return std::nullopt;
  const auto attempt_text = take_last(text);
  const auto phase_text = take_last(text);
  const auto ordinal_text = take_last(text);
  if (!attempt_text || !phase_text || !ordinal_text || !is_valid_saga_id(text)) return std::nullopt;
  const auto attempt = parse_number(*attempt_text);
  const auto phase = parse_phase(*phase_text);
  const auto ordinal = parse_number(*ordinal_text);
  if (!attempt || *attempt < 1 || !phase || !ordinal) return std::nullopt;
  return CommandId{std::string(*ns), std::string(*definition), std::string(text), *ordinal, *phase, *attempt};
}

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaximumNameBytes &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

bool is_valid_topic(std::string_view topic) {
  return !topic.empty() && topic.size() <= kMaximumTopicBytes && topic != "." && topic != ".." &&
         std::all_of(topic.begin(), topic.end(), is_name_character);
}

bool is_valid_saga_id(std::string_view saga_id) {
  return !saga_id.empty() && saga_id.size() <= kMaximumSagaIdBytes && is_visible_ascii(saga_id);
}

bool is_valid_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaximumIdBytes && is_visible_ascii(id);
}

}  // namespace skald::wire
