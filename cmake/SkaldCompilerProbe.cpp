// Does this compiler destroy the temporaries of a co_await expression exactly once? A saga author writes
// `co_await saga.step<S>(Order{...})`, and g++ 12 destroys what such braces hold twice: a double free at some later
// moment. Run at configure time by SkaldCompilerProbe.cmake; counts constructions against destructions, so it needs
// no sanitizer. Exit code 0: as many of one as of the other, in every form.
#include <coroutine>
#include <exception>
#include <utility>

namespace {

int balance = 0;  // constructions minus destructions

struct Counted {
  Counted() { ++balance; }
  Counted(const Counted&) { ++balance; }
  Counted(Counted&&) noexcept { ++balance; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --balance; }
};

struct Input {
  Counted first;
  Counted second;
  int cents = 0;
};

struct Awaiting {
  Input input;
  bool suspends = false;
  bool await_ready() const noexcept { return !suspends; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  int await_resume() const noexcept { return input.cents; }
};

Awaiting by_value(Input input, bool suspends) { return {std::move(input), suspends}; }
Awaiting by_reference(const Input& input, bool suspends) { return {input, suspends}; }

struct Coroutine {
  struct promise_type {
    Coroutine get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

Coroutine awaits(int form, bool suspends) {
  switch (form) {
    case 0: co_await by_value(Input{Counted{}, Counted{}, 1}, suspends); break;
    case 1: co_await by_value({Counted{}, Counted{}, 1}, suspends); break;
    case 2: co_await by_reference(Input{Counted{}, Counted{}, 1}, suspends); break;
    case 3: co_await by_reference({Counted{}, Counted{}, 1}, suspends); break;
    case 4: co_await by_value(Input{.first = Counted{}, .second = {}, .cents = 1}, suspends); break;
    case 5: co_await by_reference({.first = Counted{}, .second = {}, .cents = 1}, suspends); break;
    default: break;
  }
}

}  // namespace

int main() {
  for (int form = 0; form < 6; ++form) {
    for (const bool suspends : {false, true}) {
      const Coroutine coroutine = awaits(form, suspends);
      if (!coroutine.handle.done()) coroutine.handle.resume();
      coroutine.handle.destroy();
      if (balance != 0) return form + 1;
    }
  }
  return 0;
}
