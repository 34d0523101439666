// SPDX-License-Identifier: Apache-2.0
#include "server/broker/authority.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::fs::path;
using std::chrono::days;

constexpr unsigned kPrivateDirectory = 0700;
constexpr unsigned kPrivateFile = 0600;
constexpr days kAuthorityLifetime{20 * 365};
constexpr days kCertificateLifetime{10 * 365};
constexpr days kRenewBefore{90};
// Clocks of devices may run a little behind.
constexpr std::chrono::hours kClockTolerance{1};

bool is_address(const std::string& name) {
  in6_addr bytes{};
  return inet_pton(AF_INET, name.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &bytes) == 1;
}

trust::CertificateRequest server_request(const std::vector<std::string>& names,
                                         base::Timestamp not_before) {
  trust::CertificateRequest request{.common_name = "andon",
                                    .use = trust::CertificateUse::server,
                                    .dns_names = {"localhost"},
                                    .ip_addresses = {"127.0.0.1", "::1"},
                                    .not_before = not_before,
                                    .lifetime = kCertificateLifetime};
  for (const std::string& name : names) {
    auto& list = is_address(name) ? request.ip_addresses : request.dns_names;
    if (std::ranges::find(list, name) == list.end()) list.push_back(name);
  }
  return request;
}

trust::CertificateRequest client_request(std::string_view name, base::Timestamp not_before) {
  return {.common_name = std::string(name),
          .use = trust::CertificateUse::client,
          .not_before = not_before,
          .lifetime = kCertificateLifetime};
}

// Why the pair on disk will not do; nothing where it is as wanted.
std::optional<std::string> defect(const std::optional<std::string>& certificate,
                                  const std::optional<std::string>& key,
                                  const std::string& ca_certificate,
                                  const trust::CertificateRequest& wanted) {
  if (!certificate || !key) return "missing";
  const base::Timestamp now = wanted.not_before + kClockTolerance;
  try {
    if (!trust::is_key_of(*key, *certificate)) return "the key belongs to another certificate";
    if (!trust::is_signed_by(*certificate, ca_certificate, now)) {
      return "expired, or signed by another CA";
    }
    const trust::CertificateInfo info = trust::describe_certificate(*certificate);
    if (info.not_after < now + kRenewBefore) return "about to expire";
    if (info.common_name != wanted.common_name) return "it has another name";
    if (info.dns_names != wanted.dns_names || info.ip_addresses != wanted.ip_addresses) {
      return "the server's names have changed";
    }
  } catch (const Error& error) {
    return error.message();
  }
  return std::nullopt;
}

}  // namespace

Authority::Authority(const path& data_directory, const std::vector<std::string>& names,
                     base::Timestamp now) {
  const path ca = data_directory / "ca";
  const path credentials = data_directory / "credentials";
  base::make_directories(ca, kPrivateDirectory);
  base::make_directories(credentials, kPrivateDirectory);
  const base::Timestamp not_before = now - kClockTolerance;
  ensure_ca(ca, now);
  server_ = ensure_certificate(ca / "server", server_request(names, not_before));
  server_client_ =
      ensure_certificate(ca / kServerClientName, client_request(kServerClientName, not_before));
  operator_client_ =
      ensure_certificate(credentials / "operator", client_request(kOperatorName, not_before));
}

void Authority::ensure_ca(const path& directory, base::Timestamp now) {
  ca_file_ = directory / "ca.crt";
  const path key_file = directory / "ca.key";
  const auto certificate = base::read_file_if_exists(ca_file_);
  const auto key = base::read_file_if_exists(key_file);
  if (!certificate) {
    // A key without its certificate is from a start that was cut short: it has signed nothing.
    authority_ =
        trust::make_certificate_authority("andon CA", now - kClockTolerance, kAuthorityLifetime);
    write(key_file, authority_.private_key_pem);
    write(ca_file_, authority_.certificate_pem);
    return;
  }
  if (!key || !trust::is_key_of(*key, *certificate)) {
    throw Error(ErrorCode::data_corrupted,
                "the CA's private key '" + key_file.string() +
                    (key ? "' does not belong to '" : "' is missing beside '") + ca_file_.string() +
                    "': restore it from a backup; without it no certificate can be signed");
  }
  authority_ = {*certificate, *key};
  const auto not_after = trust::describe_certificate(*certificate).not_after;
  if (not_after < now + kRenewBefore) {
    base::log_warning("the CA certificate is about to expire",
                      {{"file", ca_file_.string()}, {"notAfter", base::to_iso8601(not_after)}});
  }
}

KeyPairFiles Authority::ensure_certificate(const path& stem,
                                           const trust::CertificateRequest& wanted) {
  const KeyPairFiles files{path(stem) += ".crt", path(stem) += ".key"};
  const auto reason =
      defect(base::read_file_if_exists(files.certificate),
             base::read_file_if_exists(files.private_key), authority_.certificate_pem, wanted);
  if (reason) {
    base::log_info("making a certificate",
                   {{"file", files.certificate.string()}, {"reason", *reason}});
    const std::string key = trust::make_private_key();
    const std::string csr = trust::make_csr(key, wanted.common_name);
    write(files.private_key, key);
    write(files.certificate, trust::sign_csr(authority_, csr, wanted));
  }
  return files;
}

void Authority::write(const path& file, const std::string& content) {
  base::write_file_atomically(file, content, kPrivateFile);
  written_.push_back(file);
}

}  // namespace andon::server
