// SPDX-License-Identifier: Apache-2.0
#include "control/identity/enrolment.hpp"

#include <optional>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"
#include "control/shared/thing_rules.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

}  // namespace

Enrolment::Enrolment(store::Database& database, const Certificates& certificates,
                     const IotPolicies& policies, const base::Clock& clock)
    : database_(database), certificates_(certificates), policies_(policies), clock_(clock) {}

EnrolmentToken Enrolment::issue_token(const std::string& thing, std::chrono::seconds lifetime,
                                      const std::vector<std::string>& policies) {
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
    for (const std::string& policy : policies) (void)policies_.require(tx, policy);
    if (!has_thing(tx, thing)) insert_thing(tx, thing, {}, "", now);
    tx.execute(
        "INSERT INTO enrolment_tokens (secret_sha256, thing, expires_ms, policies) "
        "VALUES ($1, $2, $3, $4)",
        {trust::sha256_hex(token.secret), thing, to_stored(token.expires),
         policies.empty() ? store::SqlValue() : store::SqlValue(to_stored(policies))});
  });
  return token;
}

std::string Enrolment::given_before(store::Transaction& tx, const store::Row& token,
                                    bool is_same_key, base::Timestamp now) const {
  constexpr std::chrono::minutes kToAskAgain{1};
  const auto id = token.optional_text(3);
  const auto used = token.optional_integer(4);
  const bool is_soon = used && now - stored_time(*used) <= kToAskAgain;
  const auto certificate = id ? certificates_.find(tx, *id) : std::nullopt;
  if (!is_same_key || !is_soon || !certificate ||
      certificate->status != CertificateStatus::active) {
    throw Error(ErrorCode::permission_denied,
                "the enrolment token was used already; ask the operator for a new one");
  }
  return certificate->pem;
}

std::int64_t Enrolment::remove_expired_tokens(std::int64_t limit) {
  std::int64_t removed = 0;
  database_.write([&](store::Transaction& tx) {
    removed = tx.execute(
        "DELETE FROM enrolment_tokens WHERE secret_sha256 IN "
        "(SELECT secret_sha256 FROM enrolment_tokens WHERE expires_ms < $1 LIMIT $2)",
        {to_stored(clock_.now()), limit});
  });
  return removed;
}

EnrolledDevice Enrolment::enrol(const std::string& secret, const std::string& csr_pem) {
  const std::string public_key = trust::public_key_sha256_of_csr(csr_pem);
  const base::Timestamp now = clock_.now();
  EnrolledDevice device;
  database_.write([&](store::Transaction& tx) {
    const std::string secret_sha256 = trust::sha256_hex(secret);
    const auto row = tx.query_one(
        "SELECT thing, expires_ms, public_key_sha256, certificate, used_ms, policies "
        "FROM enrolment_tokens WHERE secret_sha256 = $1",
        {secret_sha256});
    if (!row || stored_time(row->integer(1)) < now) {
      throw Error(ErrorCode::permission_denied,
                  "the enrolment token is unknown or has expired; ask the operator for a new one");
    }
    device.thing = row->text(0);
    if (const auto used_by = row->optional_text(2)) {
      device.certificate_pem = given_before(tx, *row, *used_by == public_key, now);
      return;
    }
    const Certificate certificate = certificates_.issue(tx, csr_pem,
                                                        {.common_name = device.thing,
                                                         .thing = device.thing,
                                                         .status = CertificateStatus::active,
                                                         .renewal_of = {}});
    device.certificate_pem = certificate.pem;
    for (const std::string& policy : stored_list(row->optional_text(5).value_or("[]"))) {
      policies_.attach(tx, policy,
                       {.kind = PolicyTarget::Kind::certificate, .name = certificate.id});
    }
    tx.execute(
        "UPDATE enrolment_tokens SET public_key_sha256 = $1, certificate = $2, used_ms = $3 "
        "WHERE secret_sha256 = $4",
        {public_key, certificate.id, to_stored(now), secret_sha256});
  });
  return device;
}

}  // namespace andon::control
