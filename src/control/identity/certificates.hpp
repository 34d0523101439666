// SPDX-License-Identifier: Apache-2.0
// The registry of device certificates, as AWS IoT has it: each is ACTIVE, INACTIVE or REVOKED and
// attached to at most one thing, whatever its common name says. Only those that are in here open
// anything (connection_rights.hpp). Any thread; each call is one transaction.
//
// A certificate and the one that it was renewed to are one to the operator: a status, a thing, are
// set for both, so that a device that is shut out by one does not come in by the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {

enum class CertificateStatus { active, inactive, revoked };
[[nodiscard]] std::string_view to_string(CertificateStatus status);  // "ACTIVE", as AWS has it
[[nodiscard]] std::optional<CertificateStatus> parse_certificate_status(std::string_view text);

struct Certificate {
  std::string id;  // SHA-256 of the DER, lower-case hex
  std::string arn;
  std::string thing;  // empty: attached to none
  std::string pem;
  CertificateStatus status = CertificateStatus::active;
  base::Timestamp created;
  base::Timestamp not_after;
  base::Timestamp modified;
  std::int64_t version = 1;  // rises with each change
};

inline constexpr std::chrono::days kDeviceCertificateLifetime{90};

class Certificates {
 public:
  // `lifetime` is that of each certificate that is issued from now on.
  Certificates(store::Database& database, trust::CertificateAuthority authority,
               const base::Clock& clock, Arns arns, std::chrono::days lifetime);

  // Signs a CSR and registers what comes of it, in the caller's transaction. Throws
  // invalid_argument for a bad CSR.
  struct Request {
    std::string common_name;
    std::string thing;  // empty: attached to none
    CertificateStatus status = CertificateStatus::active;
    std::string renewal_of;  // id of the certificate that it is to take the place of
    std::optional<std::chrono::days> lifetime = {};  // of what nobody renews
  };
  [[nodiscard]] Certificate issue(store::Transaction& tx, const std::string& csr_pem,
                                  const Request& request) const;
  // The same by itself, for a certificate that an operator asks for.
  [[nodiscard]] Certificate issue(const std::string& csr_pem, const Request& request);

  // SHA-256 of the DER of the CA that signs.
  [[nodiscard]] std::string authority_id() const;
  // Takes in a certificate that this authority has signed elsewhere. invalid_argument for
  // another's, already_exists.
  [[nodiscard]] Certificate take_in(const std::string& pem, CertificateStatus status);

  [[nodiscard]] std::optional<Certificate> find(const std::string& id) const;
  [[nodiscard]] std::optional<Certificate> find(store::Transaction& tx,
                                                const std::string& id) const;
  enum class Order { newest_first, oldest_first };
  [[nodiscard]] Page<Certificate> list(Order order, const PageRequest& page) const;
  // Newest first. not_found for an unknown thing.
  [[nodiscard]] Page<Certificate> list_of(const std::string& thing, const PageRequest& page) const;

  // A revoked certificate stays revoked (conflict). not_found.
  void set_status(const std::string& id, CertificateStatus status);
  // failed_precondition where it is another thing's. not_found.
  void attach(const std::string& id, const std::string& thing);
  // Nothing where it is attached to none; not_found where it is another thing's.
  void detach(const std::string& id, const std::string& thing);
  // failed_precondition while it is ACTIVE, conflict while it is attached to a thing or, unless
  // they go with it, policies to it. not_found.
  enum class Policies { keep_it, go_with_it };
  void remove(const std::string& id, Policies policies = Policies::go_with_it);

 private:
  [[nodiscard]] Certificate require(store::Transaction& tx, const std::string& id) const;
  void note_change(store::Transaction& tx, const std::string& id) const;
  [[nodiscard]] Page<Certificate> to_page(const std::vector<store::Row>& rows,
                                          std::size_t limit) const;

  store::Database& database_;
  trust::CertificateAuthority authority_;
  const base::Clock& clock_;
  Arns arns_;
  std::chrono::days lifetime_;
};

}  // namespace andon::control
