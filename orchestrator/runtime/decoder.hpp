// Decoder: from one Kafka record to the Works it means: a reply for a saga, a parent's command to its child, starts of
// sagas and signals for them, or a
// dead letter with its reason. Every record has an answer; none is dropped but what filters decline. Pure
// but for the author's trigger functions; immutable, called by the ingress thread and by lanes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/work.hpp"
#include "skald/registry.hpp"
#include "wire/cloud_events.hpp"
#include "wire/slots.hpp"

namespace skald::runtime {

/// A trigger and the topic it reads. Several may read one topic.
struct TriggerRoute {
  std::string topic;
  TriggerDefinition trigger;
};

/// What a record says to a running saga.
struct AddressedSignal {
  SagaAddress address;
  engine::SignalInput input;
};

/// A topic whose records are signals. Several may read one topic, which may be a trigger's too.
struct SignalRoute {
  std::string topic;
  /// Of a record in binary mode. nullopt: none of its business; an error: the record cannot be read.
  std::function<Result<std::optional<AddressedSignal>>(const Record&)> read;
};

/// Which sagas this runtime has, where several databases share a namespace. Trigger topics are read by all of
/// them, so that starts of the others' sagas are none of its business; reply topics are each one's own, so that a
/// reply to a saga that has moved comes here and is sent on.
struct Territory {
  wire::SlotSet slots = wire::SlotSet::all();
  struct Neighbour {
    wire::SlotSet slots;
    std::string reply_topic;
  };
  std::vector<Neighbour> neighbours;  ///< with them every slot is somebody's
};

class Decoder {
 public:
  /// `registry` outlives it.
  /// `child_topic`: where parents' commands to child sagas come from; empty: nowhere.
  Decoder(const Registry& registry, std::string name_space, std::string reply_topic,
          const std::vector<TriggerRoute>& triggers, const std::vector<SignalRoute>& signals = {},
          Territory territory = {}, std::string child_topic = {});

  /// The works of one record; empty if nobody wants it or its saga is a neighbour's. What cannot be understood
  /// becomes a dead letter at one of the neighbours. Marks are not set.
  [[nodiscard]] std::vector<Work> decode(std::shared_ptr<const Record> record) const;

  /// A start from elsewhere than a topic: checked like a trigger's. The error's code and message say what
  /// does not fit. kRefused: a neighbour has the saga.
  [[nodiscard]] Result<Work> start(std::string_view definition, std::string saga_id, std::string_view input,
                                   wire::TraceContext trace, std::string origin) const;

  [[nodiscard]] const std::string& reply_topic() const noexcept { return reply_topic_; }
  /// All that its records could do is start sagas of paused definitions.
  [[nodiscard]] bool starts_only_paused(const std::string& topic, const PauseSet& pauses) const;
  /// The reply topic, the children's and every trigger's and signal's, each once.
  [[nodiscard]] std::vector<std::string> topics() const;

 private:
  [[nodiscard]] bool is_reply_topic(const std::string& topic) const;
  [[nodiscard]] bool owns(std::string_view saga_id) const {
    return territory_.slots.full() || territory_.slots.contains(wire::slot_of(saga_id));
  }
  [[nodiscard]] Work decode_reply(const std::shared_ptr<const Record>& record) const;
  [[nodiscard]] std::vector<Work> nobodys(const std::shared_ptr<const Record>& record, std::string_view code,
                                          std::string reason) const;
  [[nodiscard]] Work forward(const std::shared_ptr<const Record>& record, std::string_view saga_id) const;
  [[nodiscard]] std::vector<Work> decode_child(const std::shared_ptr<const Record>& record) const;
  [[nodiscard]] Work child_work(wire::Command command) const;
  struct Gathered;
  [[nodiscard]] std::vector<Work> decode_event(const std::shared_ptr<const Record>& record) const;
  void gather_start(const TriggerDefinition& trigger, const Record& event, const std::string& origin,
                    Gathered& gathered) const;
  void gather_signal(const SignalRoute& route, const Record& event, Gathered& gathered) const;

  /// Who reads a topic.
  struct Readers {
    std::vector<TriggerDefinition> triggers;
    std::vector<SignalRoute> signals;
  };
  const Registry& registry_;
  std::string name_space_;
  std::string reply_topic_;
  std::string child_topic_;
  std::unordered_map<std::string, Readers> readers_;
  Territory territory_;
};

}  // namespace skald::runtime
