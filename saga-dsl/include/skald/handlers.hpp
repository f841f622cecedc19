// What reaches a running saga from outside, listed in its class:
//
//   class PlaceOrder : public skald::Saga<Order, Receipt> {
//    public:
//     Progress progress() const;                                    // const: it only reads
//     Address move_to(const Address& address);                      // throws to refuse
//     static constexpr std::array signals{skald::signal<Approval>("approval")};
//     static constexpr std::array queries{skald::query<&PlaceOrder::progress>("progress")};
//     static constexpr std::array updates{skald::update<&PlaceOrder::move_to>("move-to")};
//
// A signal is sent and forgotten: it waits until the code asks for it (Context::signal). A query is answered by any
// process from the saga's members, which replay rebuilds. An update is tried on a copy first: what it throws refuses it,
// and nothing has happened; else its input and answer stand in the history, the members are changed, and conditions of
// Context::wait_until are looked at again. Handlers are pure but for the members: no I/O, clock or randomness.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "skald/fields.hpp"
#include "skald/json.hpp"
#include "skald/result.hpp"
#include "skald/step.hpp"

namespace skald {

/// A signal a saga takes, with its type erased.
struct SignalDefinition {
  std::string_view name;
  /// Reads a value; the error carries the JSON pointer.
  Result<void> (*check)(std::string_view json) = nullptr;
  std::string (*schema)() = nullptr;
};

/// In a saga's `signals`.
template <class T>
constexpr SignalDefinition signal(std::string_view name) {
  static_assert(JsonMapped<T>, "what a signal carries is not mapped: add SKALD_FIELDS beside its struct");
  return {name,
          [](std::string_view json) -> Result<void> {
            auto value = from_json<T>(json);
            if (!value) return value.error();
            return {};
          },
          [] { return json_schema<T>(); }};
}

namespace detail {

/// `SagaPointer`: const S* of a query, S* of an update.
template <class SagaPointer>
struct HandlerDefinition {
  std::string_view name;
  Result<std::string> (*call)(SagaPointer saga, std::string_view input) = nullptr;
};

template <class Member>
struct HandlerTraits;
template <class S, class Out>
struct HandlerTraits<Out (S::*)() const> {
  using Class = S;
  using Input = void;
  static constexpr bool kReads = true;
};
template <class S, class Out, class In>
struct HandlerTraits<Out (S::*)(In) const> {
  using Class = S;
  using Input = std::decay_t<In>;
  static constexpr bool kReads = true;
};
template <class S, class Out>
struct HandlerTraits<Out (S::*)()> {
  using Class = S;
  using Input = void;
  static constexpr bool kReads = false;
};
template <class S, class Out, class In>
struct HandlerTraits<Out (S::*)(In)> {
  using Class = S;
  using Input = std::decay_t<In>;
  static constexpr bool kReads = false;
};

/// JSON of what a handler returns; of nothing an empty object.
template <class Call>
Result<std::string> answer_of(Call call) {
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return std::string("{}");
    } else {
      return try_to_json(call());
    }
  } catch (const std::exception& error) {
    return Error{ErrorKind::kRefused, "", error.what()};
  } catch (...) {
    return Error{ErrorKind::kRefused, "", "the handler threw something not derived from std::exception"};
  }
}

template <auto kMember, class SagaPointer>
Result<std::string> call_handler(SagaPointer saga, std::string_view text) {
  using Input = typename HandlerTraits<decltype(kMember)>::Input;
  if constexpr (std::is_void_v<Input>) {
    static_cast<void>(text);
    return answer_of([saga] { return (saga->*kMember)(); });
  } else {
    auto input = from_json<Input>(text);
    if (!input) return input.error();
    return answer_of([&] { return (saga->*kMember)(*input); });
  }
}

template <class S>
concept HasSignals = requires { S::signals.size(); };
template <class S>
concept HasQueries = requires { S::queries.size(); };
template <class S>
concept HasUpdates = requires { S::updates.size(); };

template <class List>
constexpr bool names_are_good(const List& list) {
  for (std::size_t index = 0; index < list.size(); ++index) {
    if (!is_name(list[index].name)) return false;
    for (std::size_t other = 0; other < index; ++other)
      if (list[other].name == list[index].name) return false;
  }
  return true;
}

/// "the saga takes no signal …; it takes a, b".
[[nodiscard]] Error no_such_handler(std::string_view kind, std::string_view name, const std::string& known);

template <class List>
std::string names_of(const List& list) {
  std::string names;
  for (const auto& one : list) names += (names.empty() ? "" : ", ") + std::string(one.name);
  return names;
}

template <class List, class SagaPointer>
Result<std::string> find_and_call(const List& list, std::string_view kind, SagaPointer saga,
                                  std::string_view name, std::string_view input) {
  for (const auto& handler : list)
    if (handler.name == name) return handler.call(saga, input);
  return no_such_handler(kind, name, names_of(list));
}

template <class S>
Result<std::string> ask_query(const S& saga, std::string_view name, std::string_view input) {
  if constexpr (HasQueries<S>) return find_and_call(S::queries, "query", &saga, name, input);
  return no_such_handler("query", name, {});
}

template <class S>
Result<std::string> apply_update(S& saga, std::string_view name, std::string_view input) {
  if constexpr (HasUpdates<S>) return find_and_call(S::updates, "update", &saga, name, input);
  return no_such_handler("update", name, {});
}

}  // namespace detail

/// In a saga's `queries`: a const member function of no input, or of one.
template <auto kMember>
constexpr auto query(std::string_view name) {
  using Traits = detail::HandlerTraits<decltype(kMember)>;
  static_assert(Traits::kReads, "a query only reads: make its member function const");
  using Pointer = const typename Traits::Class*;
  return detail::HandlerDefinition<Pointer>{name, &detail::call_handler<kMember, Pointer>};
}

/// In a saga's `updates`: a member function of no input, or of one.
template <auto kMember>
constexpr auto update(std::string_view name) {
  using Pointer = typename detail::HandlerTraits<decltype(kMember)>::Class*;
  return detail::HandlerDefinition<Pointer>{name, &detail::call_handler<kMember, Pointer>};
}

}  // namespace skald
