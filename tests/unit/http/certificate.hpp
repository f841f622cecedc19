// A self-signed certificate for tests, made anew each time.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace skald::http {

struct Certificate {
  /// `subject_alternative_name` as OpenSSL writes it: "IP:127.0.0.1".
  explicit Certificate(const std::string& subject_alternative_name);
  std::string pem() const;

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{nullptr, &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> x509{nullptr, &X509_free};
};

}  // namespace skald::http
