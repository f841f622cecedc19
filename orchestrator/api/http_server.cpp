// HttpServer on cpp-httplib: its parser and its answers, behind our own sockets and our own queue, because its own
// bound neither the number of headers nor the time a request may take. One thread accepts, `threads` answer.
#include "api/http_server.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>

#include <httplib.h>

#include "api/http_connection.hpp"

namespace skald::api {
namespace {

/// httplib's view of a connection. No `override`: the set of virtual functions differs between its versions.
// NOLINTBEGIN(modernize-use-override)
class ConnectionStream final : public httplib::Stream {
 public:
  explicit ConnectionStream(HttpConnection& connection) : connection_(connection) {}
  // Which of these the base class has depends on the library's version.
  // NOLINTBEGIN(modernize-use-override)
  bool is_readable() const { return connection_.wait_readable(); }
  bool wait_readable() const { return connection_.wait_readable(); }
  bool is_writable() const { return true; }
  bool wait_writable() const { return true; }
  ssize_t read(char* bytes, size_t size) { return connection_.read(bytes, size); }
  ssize_t write(const char* bytes, size_t size) { return connection_.write(bytes, size); }
  void get_remote_ip_and_port(std::string& host, int&) const { host = connection_.peer(); }
  void get_local_ip_and_port(std::string&, int&) const {}
  socket_t socket() const { return connection_.socket(); }
  time_t duration() const { return 0; }
  // NOLINTEND(modernize-use-override)

 private:
  HttpConnection& connection_;
};
// NOLINTEND(modernize-use-override)

/// Threads that answer, and the connections that wait for one. When the queue is full the accepting thread
/// runs the task itself, with `overloaded` set: the connection is told and closed at once.
class Workers final : public httplib::TaskQueue {
 public:
  using Answer = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));

  Workers(const HttpSettings& settings, std::atomic<bool>& overloaded)
      : maximum_(settings.queued_connections), overloaded_(overloaded) {
    for (std::size_t index = 0; index < settings.threads; ++index) threads_.emplace_back([this] { run(); });
  }

  Answer enqueue(std::function<void()> task) override {
    {
      std::unique_lock lock(mutex_);
      if (tasks_.size() < maximum_) {
        tasks_.push_back(std::move(task));
        lock.unlock();
        wake_.notify_one();
        return Answer(true);
      }
    }
    overloaded_ = true;
    task();
    overloaded_ = false;
    return Answer(true);
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void run() {
    while (true) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  const std::size_t maximum_;
  std::atomic<bool>& overloaded_;
  std::mutex mutex_;  ///< guards tasks_ and stopping_
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

class BoundedServer final : public httplib::Server {
 public:
  BoundedServer(const HttpSettings& settings, Clock& clock, HttpHandler handler)
      : settings_(settings), clock_(clock), handler_(std::move(handler)) {
    new_task_queue = [this]() -> httplib::TaskQueue* { return new Workers(settings_, overloaded_); };
    // Not SO_REUSEPORT, httplib's own choice: two processes would share the port without a word.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_payload_max_length(settings_.maximum_body_bytes);
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      // Refused before the body is read. A compressed one could unfold without bound.
      const std::string length = request.get_header_value("Content-Length");
      const bool too_large =
          length.size() > 9 || std::strtoull(length.c_str(), nullptr, 10) > settings_.maximum_body_bytes;
      if (!too_large && !request.has_header("Content-Encoding")) return HandlerResponse::Unhandled;
      response.status = too_large ? 413 : 415;
      return HandlerResponse::Handled;
    });
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    };
    const char* everything = "[^]*";
    Get(everything, handle);
    Post(everything, handle);
    Put(everything, handle);
    Patch(everything, handle);
    Delete(everything, handle);
    Options(everything, handle);
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty())
        response.set_content(
            std::string(R"({"code":"SKALD-951","message":")") + reason(response.status) + "\"}\n",
            "application/json");
    });
    set_exception_handler([](const httplib::Request&, httplib::Response& response, auto&&...) {
      response.status = 500;
      response.set_content("{\"code\":\"SKALD-956\",\"message\":\"internal error\"}\n", "application/json");
    });
  }

  void stop_accepting() {
    stopping_ = true;
    while (!is_running() && !ended_) std::this_thread::yield();  // stop() before it runs would be lost
    stop();
  }

 private:
  static const char* reason(int status) {
    switch (status) {
      case 400: return "the request cannot be read as HTTP";
      case 413: return "the body is too large";
      case 414: return "the URL is too long";
      case 415: return "send the body as it is, without Content-Encoding";
      default: return "refused";
    }
  }

  void answer(const httplib::Request& from, httplib::Response& to) {
    HttpRequest request;
    request.method = from.method == "HEAD" ? "GET" : from.method;
    request.path = from.path;
    request.body = from.body;
    request.remote = from.remote_addr;
    for (const auto& [name, value] : from.params) request.query[name] = value;
    for (const auto& [name, value] : from.headers) {
      std::string lower;
      for (const char c : name) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      request.headers[lower] = value;
    }
    const HttpResponse response = handler_(request);
    to.status = response.status;
    for (const auto& [name, value] : response.headers) to.set_header(name, value);
    to.set_content(response.body, response.content_type);
  }

  bool process_and_close_socket(socket_t socket) override {
    HttpConnection connection(socket, settings_, clock_);
    if (overloaded_ && std::this_thread::get_id() == accepting_) {
      connection.refuse(503, "Service Unavailable", "SKALD-957", "too many connections; try again");
      return false;
    }
    bool closed = false;
    for (int left = settings_.requests_per_connection; left > 0 && !closed; --left) {
      if (stopping_ || !connection.next_request()) break;
      ConnectionStream stream(connection);
      if (!process(stream, connection.peer(), left == 1, closed) || connection.must_close()) break;
    }
    return true;
  }

  template <class Self = BoundedServer>
  bool process(httplib::Stream& stream, [[maybe_unused]] const std::string& peer, bool last, bool& closed) {
    const auto no_setup = [](httplib::Request&) {};
    Self& self = *this;
    if constexpr (requires { self.process_request(stream, last, closed, no_setup); })
      return self.process_request(stream, last, closed, no_setup);
    else
      return self.process_request(stream, peer, 0, std::string(), 0, last, closed, no_setup);
  }

 public:
  std::thread::id accepting_;       ///< written before the first connection is accepted
  std::atomic<bool> ended_{false};  ///< accepts no more

 private:
  const HttpSettings settings_;
  Clock& clock_;
  const HttpHandler handler_;
  std::atomic<bool> overloaded_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace

struct HttpServer::Implementation {
  Implementation(const HttpSettings& settings, Clock& clock, HttpHandler handler)
      : server(settings, clock, std::move(handler)) {}
  BoundedServer server;
  int port = 0;
  std::thread thread;
};

HttpServer::HttpServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpSettings& settings, Clock& clock,
                                                      HttpHandler handler) {
  auto all = std::make_unique<Implementation>(settings, clock, std::move(handler));
  all->port = settings.port;
  const bool bound = settings.port == 0 ? (all->port = all->server.bind_to_any_port(settings.host)) > 0
                                        : all->server.bind_to_port(settings.host, settings.port);
  if (!bound)
    return Error{ErrorKind::kRefused, "SKALD-950",
                 "cannot listen on " + settings.host + ":" + std::to_string(settings.port) +
                     ": the address is in use, not of this machine, or not allowed"};
  all->thread = std::thread([&server = all->server] {
    server.accepting_ = std::this_thread::get_id();
    server.listen_after_bind();
    server.ended_ = true;
  });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(all)));
}

HttpServer::~HttpServer() {
  implementation_->server.stop_accepting();
  implementation_->thread.join();
}

int HttpServer::port() const { return implementation_->port; }

}  // namespace skald::api
