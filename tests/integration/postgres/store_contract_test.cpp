// The store contract on PostgreSQL, each test in a schema of its own.
#include "contract/store_contract.hpp"
#include "test_database.hpp"

namespace skald::contract {
namespace {

class PostgresHarness : public StoreHarness {
 public:
  Store& store() override { return store_; }
  void let_time_pass(std::chrono::milliseconds span) override { database_.let_time_pass(span); }

 private:
  postgres::TestDatabase database_;
  postgres::PostgresStore store_{database_.options()};
};

std::unique_ptr<StoreHarness> make_postgres_store() { return std::make_unique<PostgresHarness>(); }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Postgres, StoreContract, testing::Values(&make_postgres_store));

}  // namespace skald::contract
