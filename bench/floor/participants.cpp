// Participants that answer each command at once, from memory: no inbox, no database. The same program answers Skald and
// the floor, so that the ratio is of the two orchestrators.
#include <cstdint>

#include "floor.hpp"
#include "kafka.hpp"
#include "topics.hpp"

namespace bench {
namespace {

std::string output_of(const std::string& step, const std::string& saga) {
  if (step == kSteps[0]) return R"({"id":"r-)" + saga + R"(","warehouse":"north"})";
  if (step == kSteps[1]) return R"({"id":"p-)" + saga + R"("})";
  return R"({"tracking":"t-)" + saga + R"("})";
}

}  // namespace

void participate(const std::string& servers, const std::array<std::string, 3>& commands,
                 const std::string& linger_ms) {
  Producer producer{servers, linger_ms, [](void*) {}};
  Consumer consumer{servers, {commands.begin(), commands.end()}, 1};
  std::vector<rd_kafka_message_t*> messages;
  while (true) {
    consumer.poll(0, 100, messages, 500);
    for (rd_kafka_message_t* message : messages) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      const std::string step{header(message, "ce_type")};
      const std::string id{header(message, "ce_id")};
      const std::string saga{key_of(message)};
      const bool refused = step == kSteps[2] && value_of(message).find(kRefused) != std::string_view::npos;
      const bool silent = step == kSteps[2] && value_of(message).find(kSilent) != std::string_view::npos;
      const bool undone = header(message, "ce_sagaphase") == "compensation";
      const std::string topic{header(message, "ce_sagareplyto")};
      OutMessage reply{topic.c_str(),
                       saga,
                       refused  ? R"({"code":"no-carrier","message":"nobody goes there","retryable":false})"
                       : undone ? "{}"
                                : output_of(step, saga),
                       {{{"ce_specversion", "1.0"},
                         {"ce_id", "reply/" + id},
                         {"ce_type", step + (refused ? ".failed" : ".succeeded")},
                         {"ce_source", "/floor/participants"},
                         {"ce_subject", saga},
                         {"ce_correlationid", saga},
                         {"content-type", "application/json"},
                         {"ce_causationid", id}}}};
      if (!silent) producer.produce(reply, nullptr);
      rd_kafka_message_destroy(message);
    }
  }
}

}  // namespace bench
