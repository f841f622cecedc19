// The floor's rows: one transaction a batch on one connection, the same tables, statements and kinds of rows as Skald's.
// One thread.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct SagaWrite {
  std::int64_t key = 0;
  std::string saga_id;  ///< of a start only
  std::int64_t judged_at = 0;
  int status = 0;
  std::string history;
};

struct DueSaga {
  std::int64_t key = 0;
  std::string saga_id;
  std::int64_t sequence = 0;
  std::string history;  ///< its rows, one after the other
};

struct RowBatch {
  std::vector<SagaWrite> writes;
  std::int64_t outbox_id = 0;
  std::string outbox;  ///< bytes
  std::vector<std::int64_t> outbox_done;
  std::map<std::pair<std::string, int>, std::int64_t> positions;  ///< topic, partition -> next offset
};

class Rows {
 public:
  Rows(const std::string& postgres, const std::string& schema);
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  void commit(RowBatch& batch);
  /// At most so many sagas whose time has come, leased to nobody else, with their histories; as Skald claims them.
  std::vector<DueSaga> claim(int maximum);

 private:
  void update(const RowBatch& batch);
  void insert(const RowBatch& batch);
  void copy_history(const RowBatch& batch);
  void finish(const RowBatch& batch);
  void save_positions(const RowBatch& batch);
  void exec(const char* sql);
  /// Returns the rows affected or selected.
  int run(const char* name, const std::vector<std::string>& parameters);
  /// The caller clears it.
  PGresult* ask(const char* name, const std::vector<std::string>& parameters);

  PGconn* connection_;
  std::string definition_;
};

}  // namespace bench
