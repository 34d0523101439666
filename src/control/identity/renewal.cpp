// SPDX-License-Identifier: Apache-2.0
#include "control/identity/renewal.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

#include "base/error/error.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::days kAfterItsEnd{365};
// Of the certificates of a thing as many are looked at.
constexpr std::int64_t kMostOfAThing = 100;

Error refused(const std::string& certificate_id, const std::string& why) {
  return {ErrorCode::permission_denied, "certificate " + certificate_id + " cannot be renewed: " +
                                            why + "; ask the operator for a new enrolment token"};
}

void check(const Certificate& certificate, bool has_same_key, Renewal::Proof proof,
           base::Timestamp now) {
  const auto refuse = [&](const std::string& why) { throw refused(certificate.id, why); };
  if (certificate.status != CertificateStatus::active) {
    refuse("it is " + std::string(to_string(certificate.status)));
  }
  if (certificate.thing.empty()) refuse("it is attached to no thing");
  if (now >= certificate.not_after + kAfterItsEnd) {
    refuse("it ended at " + base::to_iso8601(certificate.not_after) + ", more than a year ago");
  }
  if (has_same_key) return;
  if (certificate.not_after <= now) refuse("it is over, and the request has another key");
  if (proof != Renewal::Proof::by_connection) {
    refuse("the request has another key, and does not come with the certificate's own");
  }
}

}  // namespace

Renewal::Renewal(store::Database& database, const Certificates& certificates,
                 const base::Clock& clock, std::string ca_pem)
    : database_(database), certificates_(certificates), clock_(clock), ca_pem_(std::move(ca_pem)) {}

std::optional<Certificate> Renewal::find_asking(store::Transaction& tx, const std::string& pem,
                                                const trust::CertificateInfo& info) const {
  if (auto registered = certificates_.find(tx, info.fingerprint)) return registered;
  // Whatever this machine's clock says, signed is what was signed.
  if (!trust::is_signed_by(pem, ca_pem_, info.not_before)) return std::nullopt;
  // The newest that may be used; the newest of all only says why not.
  std::optional<Certificate> before;
  std::pair<bool, base::Timestamp> rank;
  for (const store::Row& row : tx.query("SELECT id FROM certificates WHERE thing = $1 "
                                        "ORDER BY created_ms DESC, id DESC LIMIT $2",
                                        {info.common_name, kMostOfAThing})) {
    std::optional<Certificate> known = certificates_.find(tx, row.text(0));
    const trust::CertificateInfo about = trust::describe_certificate(known->pem);
    // One that is older than all that is known was forgotten on purpose: it has been renewed.
    const bool may_be_the_one_before =
        about.public_key_sha256 == info.public_key_sha256 && about.not_before < info.not_before;
    if (!may_be_the_one_before) continue;
    const std::pair rank_of_known{known->status == CertificateStatus::active, about.not_before};
    if (!before || rank_of_known > rank) {
      rank = rank_of_known;
      before = std::move(known);
    }
  }
  return before;
}

Certificate Renewal::renew(const std::string& certificate_pem, const std::string& csr_pem,
                           Proof proof) {
  const trust::CertificateInfo info = trust::describe_certificate(certificate_pem);
  const std::string key = trust::public_key_sha256_of_csr(csr_pem);
  Certificate renewed;
  database_.write([&](store::Transaction& tx) {
    const base::Timestamp now = clock_.now();
    const std::optional<Certificate> asking = find_asking(tx, certificate_pem, info);
    if (!asking) throw refused(info.fingerprint, "it is not registered with this server");
    const bool is_registered = asking->id == info.fingerprint;
    check(*asking, info.public_key_sha256 == key, is_registered ? proof : Proof::by_request, now);
    const auto id_before =
        tx.query_one("SELECT id FROM certificates WHERE replaces = $1", {asking->id});
    if (id_before) {
      const Certificate before = *certificates_.find(tx, id_before->text(0));
      const bool is_good = before.status == CertificateStatus::active && before.not_after > now &&
                           trust::describe_certificate(before.pem).public_key_sha256 == key;
      if (is_good) {
        renewed = before;
        return;
      }
      tx.execute("DELETE FROM certificates WHERE id = $1", {before.id});
    }
    tx.execute(
        "DELETE FROM certificates WHERE id = (SELECT replaces FROM certificates WHERE id = $1)",
        {asking->id});
    renewed = certificates_.issue(tx, csr_pem,
                                  {.common_name = info.common_name,
                                   .thing = asking->thing,
                                   .status = CertificateStatus::active,
                                   .renewal_of = asking->id});
  });
  return renewed;
}

}  // namespace andon::control
