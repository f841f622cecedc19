// Names and hashes of Works.
#include "runtime/work.hpp"

#include "ports/footprint.hpp"

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

struct HeapBytes {
  std::size_t operator()(const DeadLetterRequest& request) const {
    return heap_bytes(request.code) + heap_bytes(request.reason);
  }
  std::size_t operator()(const ForwardRequest& request) const { return heap_bytes(request.topic); }
  std::size_t operator()(const RefuseChildRequest& request) const {
    return (*this)(request.command) + heap_bytes(request.reason);
  }
  std::size_t operator()(const ParkRequest&) const { return 0; }
  std::size_t operator()(const engine::ParentCommand& command) const {
    return heap_bytes(command.id) + heap_bytes(command.step) + heap_bytes(command.reply_to) +
           heap_bytes(command.root);
  }
  std::size_t operator()(const StartRequest& request) const {
    const engine::StartInput& input = request.input;
    return (input.parent ? (*this)(*input.parent) : 0) + heap_bytes(input.input) + heap_bytes(input.origin) +
           heap_bytes(input.trace.traceparent) + heap_bytes(input.trace.tracestate) +
           heap_bytes(input.trace.baggage);
  }
  std::size_t operator()(const engine::Input& input) const { return std::visit(*this, input); }
  std::size_t operator()(const engine::ReplyInput& reply) const {
    return heap_bytes(reply.step) + heap_bytes(reply.data) + of(reply.failure);
  }
  std::size_t operator()(const engine::HeartbeatInput& beat) const {
    return heap_bytes(beat.step) + heap_bytes(beat.details);
  }
  std::size_t operator()(const engine::LocalResult& result) const {
    return heap_bytes(result.outcome.output) + of(result.outcome.failure);
  }
  std::size_t operator()(const engine::Wake& wake) const {
    return block_bytes(wake.live.capacity() * sizeof(Incarnation));
  }
  std::size_t operator()(const engine::Undeliverable& refused) const { return heap_bytes(refused.reason); }
  std::size_t operator()(const engine::Poison& poison) const {
    return heap_bytes(poison.reason) + heap_bytes(poison.message) + heap_bytes(poison.input);
  }
  std::size_t operator()(const engine::OperatorAction& action) const {
    return heap_bytes(action.result) + heap_bytes(action.who) + heap_bytes(action.why);
  }
  std::size_t operator()(const engine::SignalInput& signal) const { return of_sent(signal); }
  std::size_t operator()(const engine::UpdateInput& update) const { return of_sent(update); }

 private:
  template <class Sent>
  static std::size_t of_sent(const Sent& sent) {
    return heap_bytes(sent.name) + heap_bytes(sent.source) + heap_bytes(sent.id) + heap_bytes(sent.data);
  }
  static std::size_t of(const Failure& failure) {
    return heap_bytes(failure.code) + heap_bytes(failure.message);
  }
};

struct InputKind {
  std::string_view operator()(const engine::ReplyInput&) const { return "reply"; }
  std::string_view operator()(const engine::LocalResult&) const { return "local"; }
  std::string_view operator()(const engine::Wake&) const { return "wake"; }
  std::string_view operator()(const engine::Undeliverable&) const { return "undeliverable"; }
  std::string_view operator()(const engine::Poison&) const { return "poison"; }
  std::string_view operator()(const engine::OperatorAction&) const { return "operator"; }
  std::string_view operator()(const engine::SignalInput&) const { return "signal"; }
  std::string_view operator()(const engine::UpdateInput&) const { return "update"; }
  std::string_view operator()(const engine::HeartbeatInput&) const { return "heartbeat"; }
  std::string_view operator()(const engine::ParentCommand&) const { return "parent"; }
};

}  // namespace

std::size_t measure(const Work& work) {
  return block_bytes(sizeof(Work)) + heap_bytes(work.address.definition) + heap_bytes(work.address.saga_id) +
         std::visit(HeapBytes{}, work.what) + (work.record ? memory_bytes(*work.record) : 0);
}

std::string_view kind_of(const Work& work) {
  if (work.is_start()) return "start";
  if (work.is_dead_letter()) return "dead_letter";
  if (std::holds_alternative<ForwardRequest>(work.what)) return "forward";
  if (work.passes_through()) return "refused_child";
  if (std::holds_alternative<ParkRequest>(work.what)) return "parked";
  return std::visit(InputKind{}, std::get<engine::Input>(work.what));
}

std::uint64_t hash_input(std::string_view canonical_input) { return spread(fnv(canonical_input)); }

std::size_t lane_of(std::string_view saga_id, std::size_t lanes) { return spread(fnv(saga_id)) % lanes; }

}  // namespace skald::runtime
