// The floor's participants: answer each command at once, from memory. No inbox and no database, so the floor is what
// moving the messages costs; Skald's participants in the same benchmark have both.
#include <cstdint>

#include "floor.hpp"
#include "kafka.hpp"
#include "topics.hpp"

namespace bench {

void participate(const std::string& servers, const Names& names) {
  Producer producer{servers, [](void*) {}};
  Consumer consumer{servers, {names.commands.begin(), names.commands.end()}, 1};
  std::vector<rd_kafka_message_t*> messages;
  while (true) {
    consumer.poll(0, 100, messages, 500);
    for (rd_kafka_message_t* message : messages) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      const std::string step{header(message, "ce_type")};
      const std::string id{header(message, "ce_id")};
      const std::string saga{key_of(message)};
      const bool refused = step == kSteps[2] && value_of(message).find(kRefused) != std::string_view::npos;
      const bool undone = header(message, "ce_sagaphase") == "compensation";
      OutMessage reply{names.replies.c_str(),
                       saga,
                       refused  ? R"({"code":"no-carrier","message":"nobody goes there","retryable":false})"
                       : undone ? "{}"
                                : R"({"id":"done-)" + saga + R"(","warehouse":"north"})",
                       {{{"ce_specversion", "1.0"},
                         {"ce_id", "reply/" + id},
                         {"ce_type", step + (refused ? ".failed" : ".succeeded")},
                         {"ce_source", "/floor/participants"},
                         {"ce_subject", saga},
                         {"ce_correlationid", saga},
                         {"content-type", "application/json"},
                         {"ce_causationid", id}}}};
      producer.produce(reply, nullptr);
      rd_kafka_message_destroy(message);
    }
  }
}

}  // namespace bench
