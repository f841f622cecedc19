// The sagas the engine's tests run: one for each shape of control flow an author writes.
#pragma once

#include "script.hpp"

namespace skald::engine {

struct ThreeSteps : Saga<Order, Done> {
  static constexpr std::string_view name = "three-steps";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.step<Reserve>(order);
    auto charged = co_await saga.step<Charge>(reserved.id, order.cents);
    co_return co_await saga.step<Ship>(charged.id, order.cents);
  }
};

/// A caught failure, and another way on.
struct Falls : Saga<Order, Done> {
  static constexpr std::string_view name = "falls-back";
  Task<Done> run(Context& saga, Order order) override {
    auto charged = co_await saga.try_step<Charge>(order);
    if (charged) co_return *charged;
    co_return co_await saga.step<Reserve>(charged.failure().code, order.cents);
  }
};

struct Parallel : Saga<Order, Done> {
  static constexpr std::string_view name = "parallel";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = saga.start<Reserve>(order);
    auto charged = saga.start<Charge>(order);
    co_await saga.all(reserved, charged);
    auto shipped = co_await saga.step<Ship>(reserved.get().id + charged.get().id, order.cents);
    co_return shipped;
  }
};

struct LeavesHandleOpen : Saga<Order, Done> {
  static constexpr std::string_view name = "leaves-handle-open";
  Task<Done> run(Context& saga, Order order) override {
    [[maybe_unused]] auto reserved = saga.start<Reserve>(order);
    co_return Done{order.id};
  }
};

struct WithPivot : Saga<Order, Done> {
  static constexpr std::string_view name = "with-pivot";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    auto charged = co_await saga.pivot<Charge>(order);
    co_return co_await saga.step<Ship>(charged.id, order.cents);
  }
};

struct Local : Saga<Order, Done> {
  static constexpr std::string_view name = "local";
  Task<Done> run(Context& saga, Order order) override {
    auto booked = co_await saga.step<Book>(order);
    co_return co_await saga.step<Ship>(booked.id, order.cents);
  }
};

struct LocalWithDeadline : Local {
  static constexpr SagaOptions options{.deadline = 1h};
};

struct WithDeadline : Saga<Order, Done> {
  static constexpr std::string_view name = "with-deadline";
  static constexpr SagaOptions options{.deadline = 1h};
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_return co_await saga.pivot<Ship>(order);
  }
};

/// A helper Task awaited in the middle; a failure on purpose after it.
struct Helper : Saga<Order, Done> {
  static constexpr std::string_view name = "helper";
  static Task<std::string> both(Context& saga, Order order) {
    auto reserved = co_await saga.step<Reserve>(order);
    auto charged = co_await saga.step<Charge>(order);
    co_return reserved.id + "+" + charged.id;
  }
  Task<Done> run(Context& saga, Order order) override {
    auto ids = co_await both(saga, order);
    if (order.cents == 0) throw SagaFailed{"free", "nothing is free"};
    co_return Done{ids};
  }
};

/// A defect that a deploy mends.
struct Broken : Saga<Order, Done> {
  static constexpr std::string_view name = "broken";
  static inline bool mended = false;
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    auto charged = saga.start<Charge>(order);
    if (!mended) throw std::runtime_error("a bug");
    co_return co_await charged;
  }
};

}  // namespace skald::engine
