// Names and hashes of Works.
#include "runtime/work.hpp"

namespace skald::runtime {

namespace {

std::uint64_t fnv(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

/// Spreads the last characters, which differ most among ids, over all bits.
std::uint64_t spread(std::uint64_t hash) {
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93ull;
  return hash ^ (hash >> 32);
}

struct InputKind {
  std::string_view operator()(const engine::ReplyInput&) const { return "reply"; }
  std::string_view operator()(const engine::LocalResult&) const { return "local"; }
  std::string_view operator()(const engine::Wake&) const { return "wake"; }
  std::string_view operator()(const engine::Undeliverable&) const { return "undeliverable"; }
  std::string_view operator()(const engine::Poison&) const { return "poison"; }
  std::string_view operator()(const engine::OperatorAction&) const { return "operator"; }
};

}  // namespace

std::string_view kind_of(const Work& work) {
  if (work.is_start()) return "start";
  if (work.is_dead_letter()) return "dead_letter";
  if (work.passes_through()) return "forward";
  return std::visit(InputKind{}, std::get<engine::Input>(work.what));
}

std::uint64_t hash_input(std::string_view canonical_input) { return spread(fnv(canonical_input)); }

std::size_t lane_of(std::string_view saga_id, std::size_t lanes) { return spread(fnv(saga_id)) % lanes; }

}  // namespace skald::runtime
