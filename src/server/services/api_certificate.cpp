// SPDX-License-Identifier: Apache-2.0
#include "server/services/api_certificate.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "trust/keys/private_key.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostBytes = 64U << 10U;
constexpr unsigned kNotForAKey = 0037;  // its group may read it, nobody else

[[noreturn]] void refuse(const base::fs::path& file, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, "'" + file.string() + "' " + problem);
}

std::string read_key(const base::fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) {
    throw base::system_error("cannot read the key '" + file.string() + "'", errno);
  }
  if ((status.st_mode & kNotForAKey) != 0) {
    refuse(file, "may be read or written by others: chmod 600 (or 640, for its group)");
  }
  return base::read_file(file, kMostBytes);
}

void check_certificate(const base::fs::path& file, const std::string& pem, base::Timestamp now) {
  trust::CertificateInfo info;
  try {
    info = trust::describe_certificate(pem);
  } catch (const Error& error) {
    refuse(file, "has no certificate that can be read: " + error.message());
  }
  if (info.not_after <= now) {
    refuse(file, "was good until " + base::to_iso8601(info.not_after) + ": renew it");
  }
  if (info.not_before > now) {
    refuse(file, "is good from " + base::to_iso8601(info.not_before) +
                     " on; is this machine's clock right?");
  }
  if (info.dns_names.empty() && info.ip_addresses.empty()) {
    refuse(file,
           "is for no name (subjectAltName): browsers would refuse it. Is the server's own "
           "certificate the first in it?");
  }
}

}  // namespace

wire::TlsIdentity read_identity(const CertificateFiles& files, base::Timestamp now) {
  wire::TlsIdentity identity{
      .certificate_chain_pem = base::read_file(files.certificate, kMostBytes),
      .private_key_pem = read_key(files.key)};
  check_certificate(files.certificate, identity.certificate_chain_pem, now);
  try {
    if (trust::is_key_of(identity.private_key_pem, identity.certificate_chain_pem)) {
      return identity;
    }
  } catch (const Error& error) {
    refuse(files.key, "has no key that can be used (PEM, without a password): " + error.message());
  }
  refuse(files.key, "is not the key of the certificate in '" + files.certificate.string() + "'");
}

ApiCertificate::ApiCertificate(CertificateFiles files, const base::Clock& clock)
    : files_(std::move(files)), clock_(clock) {
  if (!files_.certificate.empty()) identity_ = read_identity(files_, clock_.now());
}

std::optional<wire::TlsIdentity> ApiCertificate::identity() const {
  const std::lock_guard lock(mutex_);
  if (identity_.certificate_chain_pem.empty()) return std::nullopt;
  return identity_;
}

std::optional<trust::CertificateInfo> ApiCertificate::info() const {
  const auto now = identity();
  if (!now) return std::nullopt;
  return trust::describe_certificate(now->certificate_chain_pem);
}

std::optional<wire::TlsIdentity> ApiCertificate::look_again() {
  const auto before = identity();
  if (!before) return std::nullopt;
  try {
    wire::TlsIdentity found = read_identity(files_, clock_.now());
    last_problem_.clear();
    if (found.certificate_chain_pem == before->certificate_chain_pem &&
        found.private_key_pem == before->private_key_pem) {
      return std::nullopt;
    }
    const trust::CertificateInfo info = trust::describe_certificate(found.certificate_chain_pem);
    base::log_info("the API's certificate was read again",
                   {{"until", base::to_iso8601(info.not_after)}});
    const std::lock_guard lock(mutex_);
    identity_ = found;
    return found;
  } catch (const Error& error) {
    // Files that are just being renewed do not fit each other for a moment.
    if (error.message() != last_problem_) {
      last_problem_ = error.message();
      base::log_error("the API's certificate stays as it was", {{"reason", last_problem_}});
    }
    return std::nullopt;
  }
}

}  // namespace andon::server
