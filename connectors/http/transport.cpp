// The call: options, loop and end; see transport.hpp. Redirects are not followed, certificates always verified, and no
// environment variable (proxies) changes where a request goes.
#include "transport.hpp"

#include <curl/curl.h>

#include <mutex>
#include <utility>

namespace skald::http {
namespace {

using Ending = Reply::Ending;

constexpr std::size_t kMaximumHeaderBytes = 64 * 1024;
/// Idle connections older than this are not used again: shorter than what servers and load balancers keep them for.
constexpr long kMaximumIdleSeconds = 30;
constexpr int kPollMilliseconds =
    1000;  // libcurl wakes earlier for its own timeouts, and the stop token wakes it

/// Thread-safe since libcurl 7.84; both Debians have later ones.
void initialise() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Url = std::unique_ptr<CURLU, Free<curl_url_cleanup>>;
using Easy = std::unique_ptr<CURL, Free<curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<curl_multi_cleanup>>;
using Headers = std::unique_ptr<curl_slist, Free<curl_slist_free_all>>;

/// What libcurl's callbacks fill while a call lasts.
struct Received {
  Reply reply{};
  std::size_t maximum_body = 0;
  std::size_t header_bytes = 0;
  bool too_large = false;
  char error[CURL_ERROR_SIZE] = "";
};

std::size_t take_body(const char* bytes, std::size_t, std::size_t size, void* context) {
  Received& received = *static_cast<Received*>(context);
  const std::size_t room = received.maximum_body - received.reply.body.size();
  received.reply.body.append(bytes, size < room ? size : room);
  received.too_large = size > room;
  return received.too_large ? CURL_WRITEFUNC_ERROR : size;
}

std::size_t take_header(const char*, std::size_t, std::size_t size, void* context) {
  Received& received = *static_cast<Received*>(context);
  received.header_bytes += size;
  return received.header_bytes > kMaximumHeaderBytes ? CURL_WRITEFUNC_ERROR : size;
}

/// libcurl calls it when connection and TLS stand, before the first byte of each request it sends.
int note_begin(void* context, char*, char*, int, int) {
  static_cast<Received*>(context)->reply.begun = true;
  return CURL_PREREQFUNC_OK;
}

bool is_tls(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return true;
    default: return false;
  }
}

Ending ending_of(CURLcode code, const Received& received) {
  if (code == CURLE_OK) return Ending::answered;
  if (received.too_large) return Ending::too_large;
  if (code == CURLE_OPERATION_TIMEDOUT) return Ending::timed_out;
  if (received.reply.begun) return Ending::cut;
  return is_tls(code) ? Ending::tls : Ending::unreachable;
}

/// libcurl reads an empty value as "leave this header out", unless a semicolon stands for the colon.
std::string header_line(const std::string& line) {
  return line.ends_with(": ") ? line.substr(0, line.size() - 2) + ";" : line;
}

/// One handle with its connections. Used by one thread at a time.
class Channel {
 public:
  explicit Channel(const HttpEndpoint& endpoint)
      : endpoint_(endpoint), easy_(curl_easy_init()), multi_(curl_multi_init()) {}

  Reply perform(const Call& call, const std::stop_token& stop) {
    Received received;
    received.maximum_body = endpoint_.maximum_response_bytes;
    if (!easy_ || !multi_) {
      received.reply.ending = Ending::unreachable;
      received.reply.why = "libcurl gives no handle";
      return std::move(received.reply);
    }
    curl_easy_reset(easy_.get());
    const Headers headers = header_list(call);
    set_request(call, headers.get());
    set_limits(received);
    set_trust();
    run(received, stop);
    curl_easy_reset(easy_.get());  // it points into this frame
    return std::move(received.reply);
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    if (const CURLcode code = curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK) refused_ = code;
  }

  static Headers header_list(const Call& call) {
    curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no waiting for 100-continue
    for (const std::string& line : call.headers) list = curl_slist_append(list, header_line(line).c_str());
    return Headers(list);
  }

  void set_request(const Call& call, curl_slist* headers) {
    refused_ = CURLE_OK;
    set(CURLOPT_URL, call.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_HTTP_VERSION,
        static_cast<long>(CURL_HTTP_VERSION_1_1));  // one request a connection: 2 gains nothing
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTPHEADER, headers);
    if (call.body != nullptr) {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body->size()));
      set(CURLOPT_POSTFIELDS, call.body->c_str());
    } else if (call.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else {
      set(CURLOPT_HTTPGET, 1L);
    }
    if (call.method != "HEAD") set(CURLOPT_CUSTOMREQUEST, std::string(call.method).c_str());
  }

  void set_limits(Received& received) {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a call given up does not wait for the name server
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(endpoint_.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(endpoint_.request_timeout.count()));
    set(CURLOPT_MAXAGE_CONN, kMaximumIdleSeconds);
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(received.error));
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&received));
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&received));
    set(CURLOPT_PREREQFUNCTION, &note_begin);
    set(CURLOPT_PREREQDATA, static_cast<void*>(&received));
  }

  void set_trust() {
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!endpoint_.ca_file.empty()) {
      set(CURLOPT_CAINFO, endpoint_.ca_file.c_str());
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // these authorities and no others
    }
    if (!endpoint_.client_certificate_file.empty()) {
      set(CURLOPT_SSLCERT, endpoint_.client_certificate_file.c_str());
      set(CURLOPT_SSLKEY, endpoint_.client_key_file.c_str());
    }
    set(CURLOPT_PROXY, endpoint_.proxy.c_str());  // empty: none, whatever the environment says
    set(CURLOPT_NOPROXY, "");
  }

  void run(Received& received, const std::stop_token& stop) {
    Reply& reply = received.reply;
    if (refused_ != CURLE_OK) {
      reply.ending = Ending::unreachable;
      reply.why = curl_easy_strerror(refused_);
      return;
    }
    curl_multi_add_handle(multi_.get(), easy_.get());
    {
      const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_.get()); });
      int running = 1;
      while (running > 0 && !stop.stop_requested()) {
        if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) break;
        if (running > 0) curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
      }
    }
    reply.ending = stop.stop_requested() ? Ending::stopped : Ending::cut;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      reply.ending = ending_of(message->data.result, received);
      if (reply.ending != Ending::answered)
        reply.why = received.error[0] != '\0' ? received.error : curl_easy_strerror(message->data.result);
    }
    read_answer(reply);
    curl_multi_remove_handle(multi_.get(), easy_.get());  // closes the connection of a call given up
  }

  void read_answer(Reply& reply) {
    long status = 0;
    curl_off_t retry_after = 0;
    const char* location = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &location);
    reply.status = static_cast<int>(status);
    if (retry_after > 0) reply.retry_after = std::chrono::seconds(retry_after);
    if (location != nullptr) reply.location = location;
  }

  const HttpEndpoint& endpoint_;
  CURLcode refused_ = CURLE_OK;  ///< an option libcurl does not take
  Easy easy_;
  Multi multi_;
};

}  // namespace

/// Channels nobody uses now; as many as calls were ever made at once.
class Transport::Pool {
 public:
  explicit Pool(const HttpEndpoint& endpoint) : endpoint_(endpoint) { initialise(); }

  std::unique_ptr<Channel> take() {
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        auto channel = std::move(idle_.back());
        idle_.pop_back();
        return channel;
      }
    }
    return std::make_unique<Channel>(endpoint_);
  }

  void give(std::unique_ptr<Channel> channel) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(channel));
  }

 private:
  const HttpEndpoint& endpoint_;
  std::mutex mutex_;  ///< of idle_
  std::vector<std::unique_ptr<Channel>> idle_;
};

Transport::Transport(const HttpEndpoint& endpoint) : pool_(std::make_unique<Pool>(endpoint)) {}
Transport::~Transport() = default;

Reply Transport::perform(const Call& call, const std::stop_token& stop) {
  auto channel = pool_->take();
  Reply reply = channel->perform(call, stop);
  pool_->give(std::move(channel));
  return reply;
}

std::optional<std::string> problem_of_base_url(const std::string& text) {
  initialise();
  const Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return "is no URL";
  const auto part = [&](CURLUPart which) {
    char* found = nullptr;
    std::string value;
    if (curl_url_get(url.get(), which, &found, 0) == CURLUE_OK) value = found;
    curl_free(found);
    return value;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return "begins with neither http:// nor https://";
  if (part(CURLUPART_HOST).empty()) return "names no host";
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty() ||
      text.find('@') != std::string::npos)
    return "names a user; credentials go into a header";
  if (text.find_first_of("?#{}") != std::string::npos) return "has a query, a fragment or brackets";
  return std::nullopt;
}

}  // namespace skald::http
