// Pages go from the source as one JSON array of whole rows, so that no column can be forgotten, and into the target
// by its own row types. Keys are made anew where the target has them already: two databases number their processes
// independently, and a key is the time with such a number.
#include "postgres/slot_copy.hpp"

#include <algorithm>

#include "postgres/slot_ownership.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

constexpr std::int64_t kSagasAPage = 1000;
constexpr std::int64_t kTransitionsAPage = 500;  // of up to a mebibyte
constexpr std::int64_t kParkedAPage = 100;
constexpr int kIncarnations = 1024;  // as many numbers of processes a key can hold; see runtime::KeyMaker

constexpr const char* kWorkTables = R"(
CREATE TEMP TABLE moved_key (old_key bigint PRIMARY KEY, new_key bigint NOT NULL) ON COMMIT DROP;
CREATE INDEX ON moved_key (new_key))";

constexpr Statement kReadSagas{"move_read_sagas", R"(
WITH page AS (
  SELECT s.*, d.name AS definition
  FROM saga s JOIN definition d USING (definition_id)
  WHERE d.namespace = $1 AND ((s.route >> 16) & 1023) = ANY ($2::int[]) AND s.saga_key > $3::bigint
  ORDER BY s.saga_key
  LIMIT $4::bigint
)
SELECT saga_key, sequence, row_to_json(page)::text FROM page ORDER BY saga_key)"};

constexpr Statement kDefine{"move_define", R"(
INSERT INTO definition (namespace, name)
SELECT DISTINCT $1, r.definition FROM json_to_recordset($2::json) AS r(definition text)
WHERE NOT EXISTS (SELECT FROM definition d WHERE d.namespace = $1 AND d.name = r.definition)
ON CONFLICT DO NOTHING)"};

constexpr Statement kNewPage{"move_new_page", R"(
INSERT INTO moved_key (old_key, new_key)
SELECT r.saga_key, r.saga_key FROM json_to_recordset($1::json) AS r(saga_key bigint))"};

// Other bits for the process's number, until nobody has the key.
constexpr Statement kOtherKeys{"move_other_keys", R"(
UPDATE moved_key m
SET new_key = m.old_key # ($1::bigint << 12)
WHERE EXISTS (SELECT FROM saga s WHERE s.saga_key = m.new_key)
   OR EXISTS (SELECT FROM moved_key o WHERE o.new_key = m.new_key AND o.old_key <> m.old_key))"};

constexpr Statement kWriteSagas{"move_write_sagas", R"(
INSERT INTO saga (saga_key, definition_id, saga_id, revision, route, sequence, status, wake_at, input_hash, started_at,
                  ended_at, stuck_reason, stuck_step, run_from)
SELECT m.new_key, d.definition_id, r.saga_id, r.revision, r.route, r.sequence, r.status, r.wake_at, r.input_hash,
       r.started_at, r.ended_at, r.stuck_reason, r.stuck_step, r.run_from
FROM json_to_recordset($2::json)
     AS r(saga_key bigint, definition text, saga_id text, revision int, route int, sequence bigint, status smallint,
          wake_at timestamptz, input_hash bigint, started_at timestamptz, ended_at timestamptz, stuck_reason text,
          stuck_step text, run_from bigint)
JOIN moved_key m ON m.old_key = r.saga_key
JOIN definition d ON d.namespace = $1 AND d.name = r.definition)"};

constexpr Statement kReadHistory{"move_read_history", R"(
SELECT json_agg(row_to_json(h))::text, count(*)
FROM history h
WHERE h.saga_key = ANY ($1::bigint[]) AND h.sequence BETWEEN $2::bigint AND $3::bigint)"};

constexpr Statement kWriteHistory{"move_write_history", R"(
INSERT INTO history (saga_key, sequence, events)
SELECT m.new_key, r.sequence, r.events
FROM json_to_recordset($1::json) AS r(saga_key bigint, sequence bigint, events text)
JOIN moved_key m ON m.old_key = r.saga_key)"};

constexpr Statement kClear{"move_clear", "DELETE FROM moved_key"};

// A parked input knows its saga by id only, and the slot by murmur2, which SQL does not have: the caller asks by id.
constexpr Statement kReadParked{"move_read_parked", R"(
SELECT parked_id, saga_id, row_to_json(p)::text FROM parked_input p
WHERE namespace = $1 AND parked_id > $2::bigint ORDER BY parked_id LIMIT $3::bigint)"};

constexpr Statement kWriteParked{"move_write_parked", R"(
INSERT INTO parked_input (parked_id, namespace, definition, saga_id, revision, reason, parked_at, input)
SELECT r.parked_id # ($2::bigint << 12), r.namespace, r.definition, r.saga_id, r.revision, r.reason, r.parked_at, r.input
FROM json_populate_record(NULL::parked_input, $1::json) r
ON CONFLICT (parked_id) DO NOTHING)"};

constexpr Statement kDeleteParked{"move_delete_parked",
                                  "DELETE FROM parked_input WHERE parked_id = ANY ($1::bigint[])"};

constexpr Statement kCount{"move_count", R"(
SELECT count(*), coalesce(sum(s.sequence), 0)
FROM saga s JOIN definition d USING (definition_id)
WHERE d.namespace = $1 AND ((s.route >> 16) & 1023) = ANY ($2::int[]))"};

constexpr Statement kDeleteSagas{"move_delete_sagas", R"(
WITH gone AS (
  DELETE FROM saga s USING definition d
  WHERE d.definition_id = s.definition_id AND d.namespace = $1 AND ((s.route >> 16) & 1023) = ANY ($2::int[])
  RETURNING s.saga_key
), transitions AS (
  DELETE FROM history h USING gone WHERE h.saga_key = gone.saga_key
)
SELECT count(*) FROM gone)"};

constexpr Statement kReadPositions{"move_read_positions", R"(
SELECT json_agg(row_to_json(p))::text FROM position p WHERE namespace = $1 AND topic <> ALL ($2::text[]))"};

// What of the target goes back, to where.
constexpr Statement kAuditPositions{"move_audit_positions", R"(
INSERT INTO position_audit (namespace, cluster_id, topic, partition, old_offset, new_offset, who, why)
SELECT p.namespace, p.cluster_id, p.topic, p.partition, p.next_offset, coalesce(r.next_offset, 0), $4, $5
FROM position p
LEFT JOIN json_to_recordset($3::json) AS r(cluster_id text, topic text, partition int, next_offset bigint)
  USING (cluster_id, topic, partition)
WHERE p.namespace = $1 AND p.topic <> ALL ($2::text[]) AND (r.next_offset IS NULL OR r.next_offset < p.next_offset))"};

constexpr Statement kForgetOnlyTarget{"move_forget_only_target", R"(
DELETE FROM position p
WHERE p.namespace = $1 AND p.topic <> ALL ($2::text[])
  AND NOT EXISTS (SELECT FROM json_to_recordset($3::json) AS r(cluster_id text, topic text, partition int)
                  WHERE (r.cluster_id, r.topic, r.partition) = (p.cluster_id, p.topic, p.partition)))"};

constexpr Statement kAlign{"move_align_positions", R"(
INSERT INTO position AS p
SELECT * FROM json_populate_recordset(NULL::"position", $1::json)
ON CONFLICT (namespace, cluster_id, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, last_offset = excluded.last_offset, last_timestamp = excluded.last_timestamp,
    last_checksum = excluded.last_checksum, updated_at = clock_timestamp()
WHERE excluded.next_offset < p.next_offset)"};

constexpr Statement kReadSchedules{"move_read_schedules", R"(
SELECT coalesce(json_agg(to_jsonb(s) - 'lease_until' - 'leased_by'), '[]')::text FROM schedule s WHERE namespace = $1)"};

constexpr Statement kAlignSchedules{"move_align_schedules", R"(
INSERT INTO schedule AS s
SELECT * FROM json_populate_recordset(NULL::schedule, $1::json)
ON CONFLICT (namespace, name) DO UPDATE SET next_at = least(s.next_at, excluded.next_at))"};

using Parameters = shim::Parameters;

void refuse_unequal(const char* what, std::int64_t had, std::int64_t wrote) {
  if (had == wrote) return;
  throw Refusal{{ErrorKind::kRefused, kOtherSlots,
                 "of " + std::to_string(had) + " " + what + " " + std::to_string(wrote) +
                     " could be copied; nothing was changed"}};
}

/// Of these sagas the transitions from `first` to `last`.
std::int64_t copy_history(const SlotCopy& copy, ArrayLiteral keys, std::int64_t first, std::int64_t last) {
  const auto page =
      copy.source.exec(copy.from, kReadHistory,
                       Parameters{std::move(keys).finish(), std::to_string(first), std::to_string(last)});
  const auto count = page[0][1].as<std::int64_t>();
  if (count == 0) return 0;
  const auto rows = copy.target.exec(copy.to, kWriteHistory, Parameters{text_of(page[0][0])}).affected_rows();
  refuse_unequal("transitions", count, static_cast<std::int64_t>(rows));
  return count;
}

/// Of a page of sagas: so many sagas at a time that their transitions together are about a page, a long history in
/// parts.
std::int64_t copy_histories(const SlotCopy& copy, const pqxx::result& sagas) {
  std::int64_t copied = 0;
  for (pqxx::result::size_type row = 0; row < sagas.size();) {
    ArrayLiteral keys;
    std::int64_t longest = 0;
    std::int64_t together = 0;
    do {
      const auto sequence = sagas[row][1].as<std::int64_t>();
      keys.add(sagas[row][0].as<std::int64_t>());
      longest = std::max(longest, sequence);
      together += sequence;
      ++row;
    } while (row < sagas.size() && together + sagas[row][1].as<std::int64_t>() <= kTransitionsAPage);
    for (std::int64_t first = 1; first <= longest; first += kTransitionsAPage)
      copied += copy_history(copy, keys, first, first + kTransitionsAPage - 1);
  }
  return copied;
}

void write_page(const SlotCopy& copy, const std::string& rows, std::int64_t count) {
  copy.target.exec(copy.to, kClear);
  copy.target.exec(copy.to, kDefine, Parameters{copy.name_space, rows});
  copy.target.exec(copy.to, kNewPage, Parameters{rows});
  for (int other = 1; other < kIncarnations; ++other)
    if (copy.target.exec(copy.to, kOtherKeys, Parameters{std::to_string(other)}).affected_rows() == 0) break;
  const auto written =
      copy.target.exec(copy.to, kWriteSagas, Parameters{copy.name_space, rows}).affected_rows();
  refuse_unequal("sagas", count, static_cast<std::int64_t>(written));
}

/// The parked inputs of these slots; `take` gets id and row.
template <class Take>
void each_parked(Connection& source, pqxx::work& from, const std::string& name_space,
                 const std::string& slots, Take take) {
  const std::string all = "," + slots.substr(1, slots.size() - 2) + ",";
  std::string last = "0";
  while (true) {
    const auto page =
        source.exec(from, kReadParked, Parameters{name_space, last, std::to_string(kParkedAPage)});
    for (const auto& row : page) {
      last = text_of(row[0]);
      const int slot = wire::slot_of(text_of(row[1]));
      if (all.find("," + std::to_string(slot) + ",") != std::string::npos) take(last, text_of(row[2]));
    }
    if (page.size() < static_cast<std::size_t>(kParkedAPage)) return;
  }
}

std::int64_t copy_parked(const SlotCopy& copy) {
  std::int64_t parked = 0;
  each_parked(copy.source, copy.from, copy.name_space, copy.slots,
              [&](const std::string& parked_id, const std::string& row) {
                bool written = false;
                for (int other = 0; other < kIncarnations && !written; ++other)
                  written = copy.target.exec(copy.to, kWriteParked, Parameters{row, std::to_string(other)})
                                .affected_rows() == 1;
                if (!written)
                  throw Refusal{{ErrorKind::kRefused, kOtherSlots,
                                 "parked input " + parked_id + " finds no free id in the target"}};
                ++parked;
              });
  return parked;
}

/// The topics that are compared, as an array literal.
std::string topics_literal(const std::vector<std::string>& topics) {
  ArrayLiteral literal;
  for (const std::string& topic : topics) literal.add_text(topic);
  return std::move(literal).finish();
}

}  // namespace

std::string slots_literal(const wire::SlotSet& slots) {
  ArrayLiteral literal;
  for (int slot = 0; slot < wire::kSlots; ++slot)
    if (slots.contains(slot)) literal.add(slot);
  return std::move(literal).finish();
}

SlotMoveReport copy_slots(const SlotCopy& copy) {
  SlotMoveReport report;
  const Parameters which{copy.name_space, copy.slots};
  const auto there = copy.target.exec(copy.to, kCount, which)[0][0].as<std::int64_t>();
  if (there > 0)
    throw Refusal{
        {ErrorKind::kRefused, kOtherSlots,
         "the target holds " + std::to_string(there) + " sagas of these slots, which it does not have"}};
  copy.to.exec(kWorkTables);
  std::string last = "0";
  while (true) {
    const auto page = copy.source.exec(
        copy.from, kReadSagas, Parameters{copy.name_space, copy.slots, last, std::to_string(kSagasAPage)});
    if (page.empty()) break;
    std::string rows;
    for (const auto& row : page) {
      rows += rows.empty() ? "[" : ",";
      rows += text_of(row[2]);
      last = text_of(row[0]);
    }
    const auto count = static_cast<std::int64_t>(page.size());
    write_page(copy, rows + "]", count);
    report.transitions += copy_histories(copy, page);
    report.sagas += count;
  }
  report.parked = copy_parked(copy);
  const auto had = copy.source.exec(copy.from, kCount, which);
  const auto has = copy.target.exec(copy.to, kCount, which);
  refuse_unequal("sagas", had[0][0].as<std::int64_t>(), has[0][0].as<std::int64_t>());
  refuse_unequal("transitions", had[0][1].as<std::int64_t>(), report.transitions);
  return report;
}

void align_positions(const SlotCopy& copy, const SlotMove& move) {
  const std::string replies = topics_literal(move.reply_topics);
  const auto read = copy.source.exec(copy.from, kReadPositions, Parameters{copy.name_space, replies});
  const std::string rows = read[0][0].is_null() ? "[]" : text_of(read[0][0]);
  copy.target.exec(copy.to, kAuditPositions, Parameters{copy.name_space, replies, rows, move.who, move.why});
  copy.target.exec(copy.to, kForgetOnlyTarget, Parameters{copy.name_space, replies, rows});
  copy.target.exec(copy.to, kAlign, Parameters{rows});
}

void align_schedules(const SlotCopy& copy) {
  const auto read = copy.source.exec(copy.from, kReadSchedules, Parameters{copy.name_space});
  copy.target.exec(copy.to, kAlignSchedules, Parameters{text_of(read[0][0])});
}

std::int64_t delete_slots(Connection& source, pqxx::work& transaction, const std::string& name_space,
                          const std::string& slots) {
  ArrayLiteral parked;
  each_parked(source, transaction, name_space, slots,
              [&](const std::string& parked_id, const std::string&) { parked.add(std::stoll(parked_id)); });
  source.exec(transaction, kDeleteParked, Parameters{std::move(parked).finish()});
  return source.exec(transaction, kDeleteSagas, Parameters{name_space, slots})[0][0].as<std::int64_t>();
}

}  // namespace skald::postgres
