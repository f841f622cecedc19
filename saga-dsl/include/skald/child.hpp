// Child sagas: a step whose participant is another saga, with a history of its own. Used wherever a step is: step,
// try_step, start, pivot, all, any, fan_out.
//
//   struct Shipping : skald::ChildSaga<ShipOrder> {};
//   auto parcel = co_await saga.step<Shipping>(order);       its output; StepFailed once it was rolled back
//
// Optional members of the class: `name` (else the saga's own), `parent_close` (else compensate), `options`
// (schedule_to_close, compensation_retry), and the child's id, which is otherwise "<parent's id>/<ordinal>":
//
//   static std::string saga_id(const Order& order) { return "ship-" + order.id; }      pure; an id that is free
#pragma once

#include <string>
#include <type_traits>

#include "skald/fields.hpp"

namespace skald {

/// What becomes of a child when its parent rolls back, or gives it up.
enum class ParentClose {
  compensate,  ///< it is rolled back, whether it runs or has completed
  cancel,      ///< it is cancelled while it runs; one that completed stays
  abandon      ///< it goes on alone, and a parent that returns does not wait for it
};

/// S: the child's saga class.
template <class S>
struct ChildSaga {
  using Child = S;
  using Input = typename S::Input;
  using Output = typename S::Output;
  static constexpr std::string_view name = S::name;
  static constexpr ParentClose parent_close = ParentClose::compensate;
};

namespace detail {

template <class S>
concept HasChild = requires { typename S::Child; };
template <class S>
struct ChildStep : std::false_type {};
template <class S>
  requires HasChild<S>
struct ChildStep<S> : std::is_base_of<ChildSaga<typename S::Child>, S> {};
template <class S>
concept IsChildSaga = ChildStep<S>::value;
template <class S>
concept HasChildId = requires(const typename S::Input& input) { std::string(S::saga_id(input)); };

}  // namespace detail
}  // namespace skald
