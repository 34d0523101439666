// SPDX-License-Identifier: Apache-2.0
#include "control/enrolment.hpp"

#include <utility>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "control/membership.hpp"
#include "control/sql_text.hpp"
#include "control/thing_rules.hpp"
#include "trust/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kCertificateColumns = "id, thing, pem, status, created_ms, not_after_ms";

Certificate read_certificate(const store::Row& row, const Arns& arns) {
  const auto status = parse_certificate_status(row.text(3));
  if (!status) {
    throw Error(ErrorCode::data_corrupted, "a stored certificate has no known status");
  }
  return {row.text(0),
          arns.certificate(row.text(0)),
          row.text(1),
          row.text(2),
          *status,
          stored_time(row.integer(4)),
          stored_time(row.integer(5))};
}

std::optional<Certificate> find_row(store::Transaction& tx, const std::string& id,
                                    const Arns& arns) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kCertificateColumns) + " FROM certificates WHERE id = $1", {id});
  if (!row) return std::nullopt;
  return read_certificate(*row, arns);
}

}  // namespace

std::string_view to_string(CertificateStatus status) {
  switch (status) {
    case CertificateStatus::active:
      return "ACTIVE";
    case CertificateStatus::inactive:
      return "INACTIVE";
    case CertificateStatus::revoked:
      return "REVOKED";
  }
  throw Error(ErrorCode::internal, "a certificate status has no name");
}

std::optional<CertificateStatus> parse_certificate_status(std::string_view text) {
  for (const CertificateStatus status :
       {CertificateStatus::active, CertificateStatus::inactive, CertificateStatus::revoked}) {
    if (to_string(status) == text) return status;
  }
  return std::nullopt;
}

Enrolment::Enrolment(store::Database& database, trust::CertificateAuthority authority,
                     const base::Clock& clock, Arns arns)
    : database_(database),
      authority_(std::move(authority)),
      clock_(clock),
      arns_(std::move(arns)) {}

EnrolmentToken Enrolment::issue_token(const std::string& thing, std::chrono::seconds lifetime) {
  constexpr std::chrono::seconds kShortest = std::chrono::minutes(1);
  constexpr std::chrono::seconds kLongest = std::chrono::days(30);
  check_thing_name(thing);
  if (lifetime < kShortest || lifetime > kLongest) {
    throw Error(ErrorCode::invalid_argument,
                "lifetimeSeconds: must be between 60 (a minute) and 2592000 (30 days)");
  }
  const base::Timestamp now = clock_.now();
  EnrolmentToken token{base::to_base64url(base::random_bytes(32)), thing, now + lifetime};
  database_.write([&](store::Transaction& tx) {
    if (!has_thing(tx, thing)) insert_thing(tx, thing, {}, "", now);
    tx.execute("DELETE FROM enrolment_tokens WHERE expires_ms < $1", {to_stored(now)});
    tx.execute(
        "INSERT INTO enrolment_tokens (secret_sha256, thing, expires_ms) "
        "VALUES ($1, $2, $3)",
        {trust::sha256_hex(token.secret), thing, to_stored(token.expires)});
  });
  return token;
}

EnrolledDevice Enrolment::enrol(const std::string& secret, const std::string& csr_pem) {
  const std::string public_key = trust::public_key_sha256_of_csr(csr_pem);
  const base::Timestamp now = clock_.now();
  EnrolledDevice device;
  database_.write([&](store::Transaction& tx) {
    const std::string secret_sha256 = trust::sha256_hex(secret);
    const auto row = tx.query_one(
        "SELECT thing, expires_ms, public_key_sha256 FROM enrolment_tokens "
        "WHERE secret_sha256 = $1",
        {secret_sha256});
    if (!row || stored_time(row->integer(1)) < now) {
      throw Error(ErrorCode::permission_denied,
                  "the enrolment token is unknown or has expired; ask the operator for a new one");
    }
    const auto used_by = row->optional_text(2);
    if (used_by && *used_by != public_key) {
      throw Error(ErrorCode::permission_denied,
                  "the enrolment token was used by another key; ask the operator for a new one");
    }
    device.thing = row->text(0);
    trust::CertificateRequest request;
    request.common_name = device.thing;
    request.not_before = now - std::chrono::hours(1);  // devices' clocks differ
    device.certificate_pem = trust::sign_csr(authority_, csr_pem, request);
    const trust::CertificateInfo info = trust::describe_certificate(device.certificate_pem);
    tx.execute("UPDATE enrolment_tokens SET public_key_sha256 = $1 WHERE secret_sha256 = $2",
               {public_key, secret_sha256});
    tx.execute(
        "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms) "
        "VALUES ($1, $2, $3, 'ACTIVE', $4, $5)",
        {info.fingerprint, device.thing, device.certificate_pem, to_stored(now),
         to_stored(info.not_after)});
  });
  return device;
}

std::string Enrolment::authenticate(const std::string& certificate_pem) const {
  const trust::CertificateInfo info = trust::describe_certificate(certificate_pem);
  std::optional<Certificate> certificate;
  database_.read(
      [&](store::Transaction& tx) { certificate = find_row(tx, info.fingerprint, arns_); });
  if (!certificate || certificate->thing != info.common_name) {
    throw Error(ErrorCode::permission_denied,
                "the certificate of \"" + info.common_name +
                    "\" is not registered with this server; provision the device again");
  }
  if (certificate->status != CertificateStatus::active) {
    throw Error(ErrorCode::permission_denied,
                "the certificate of \"" + info.common_name + "\" is " +
                    std::string(to_string(certificate->status)) +
                    "; ask the operator to activate it or provision the device again");
  }
  return certificate->thing;
}

std::optional<Certificate> Enrolment::find_certificate(const std::string& id) const {
  std::optional<Certificate> certificate;
  database_.read([&](store::Transaction& tx) { certificate = find_row(tx, id, arns_); });
  return certificate;
}

std::vector<Certificate> Enrolment::certificates_of(const std::string& thing) const {
  std::vector<Certificate> certificates;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row : tx.query("SELECT " + std::string(kCertificateColumns) +
                                              " FROM certificates WHERE thing = $1 "
                                              "ORDER BY created_ms, id",
                                          {thing})) {
      certificates.push_back(read_certificate(row, arns_));
    }
  });
  return certificates;
}

void Enrolment::set_status(const std::string& id, CertificateStatus status) {
  database_.write([&](store::Transaction& tx) {
    const std::optional<Certificate> certificate = find_row(tx, id, arns_);
    if (!certificate) {
      throw Error(ErrorCode::not_found, "there is no certificate " + id);
    }
    if (certificate->status == CertificateStatus::revoked && status != CertificateStatus::revoked) {
      throw Error(ErrorCode::conflict, "certificate " + id + " is revoked, which is for ever");
    }
    tx.execute("UPDATE certificates SET status = $1 WHERE id = $2",
               {std::string(to_string(status)), id});
  });
}

}  // namespace andon::control
