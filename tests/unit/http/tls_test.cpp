// TLS: certificates are verified, name and all; what is not trusted is never sent anything.
#include <fstream>

#include "certificate.hpp"
#include "server.hpp"

namespace skald::http {
namespace {

using testing::HasSubstr, testing::IsEmpty;

class HttpTls : public testing::Test {
 protected:
  /// The certificate as a file of authorities.
  static std::string saved(const Certificate& certificate) {
    const std::string path = testing::TempDir() + "skald-http-" + std::to_string(getpid()) + ".pem";
    std::ofstream(path) << certificate.pem();
    return path;
  }
};

TEST_F(HttpTls, ACertificateNobodyVouchesForIsRefusedBeforeAnythingIsSent) {
  const Certificate certificate("IP:127.0.0.1");
  Server server([](const Asked&) { return Answer{}; }, &certificate);
  HttpClient client({.base_url = server.url()});
  const auto outcome = attempt<ChargeCard>(client, kCharge);
  EXPECT_THAT(outcome, refused("http-tls", Retry::allowed));
  EXPECT_THAT(outcome.failure.message, HasSubstr("certificate"));
  EXPECT_THAT(server.asked(), IsEmpty());
}

TEST_F(HttpTls, AnAuthorityOfTheEndpointIsTrusted) {
  const Certificate certificate("IP:127.0.0.1");
  Server server([](const Asked&) { return Answer{}; }, &certificate);
  HttpClient client({.base_url = server.url(), .ca_file = saved(certificate)});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), succeeded(R"({"id":"p-1"})"));
}

TEST_F(HttpTls, ACertificateOfAnotherNameIsRefused) {
  const Certificate certificate("DNS:payments.example.com");
  Server server([](const Asked&) { return Answer{}; }, &certificate);
  HttpClient client({.base_url = server.url(), .ca_file = saved(certificate)});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), refused("http-tls", Retry::allowed));
  EXPECT_THAT(server.asked(), IsEmpty());
}

}  // namespace
}  // namespace skald::http
