// SPDX-License-Identifier: Apache-2.0
// How a device becomes one of the fleet: a one-time token of the operator, exchanged for a
// certificate signed from the device's CSR; and which certificates are good. Any thread; each call
// is one transaction. Only a hash of a token's secret is stored.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "control/arn.hpp"
#include "store/database.hpp"
#include "trust/certificate.hpp"

namespace andon::control {

struct EnrolmentToken {
  std::string secret;
  std::string thing;
  base::Timestamp expires;
};

struct EnrolledDevice {
  std::string thing;
  std::string certificate_pem;
};

enum class CertificateStatus { active, inactive, revoked };
[[nodiscard]] std::string_view to_string(CertificateStatus status);  // "ACTIVE", as AWS has it
[[nodiscard]] std::optional<CertificateStatus> parse_certificate_status(std::string_view text);

struct Certificate {
  std::string id;  // SHA-256 of the DER, lower-case hex
  std::string arn;
  std::string thing;
  std::string pem;
  CertificateStatus status = CertificateStatus::active;
  base::Timestamp created;
  base::Timestamp not_after;
};

class Enrolment {
 public:
  Enrolment(store::Database& database, trust::CertificateAuthority authority,
            const base::Clock& clock, Arns arns);

  // The thing is made if it is not there. Throws invalid_argument for a bad or reserved name or a
  // lifetime that is not between a minute and 30 days.
  [[nodiscard]] EnrolmentToken issue_token(const std::string& thing, std::chrono::seconds lifetime);

  // Throws permission_denied for a secret that is unknown, used up or expired, invalid_argument for
  // a bad CSR. The same public key may come again within the token's life.
  [[nodiscard]] EnrolledDevice enrol(const std::string& secret, const std::string& csr_pem);

  // The thing of a certificate that TLS has verified. Throws permission_denied where it is not
  // registered (or not here any more), inactive or revoked.
  [[nodiscard]] std::string authenticate(const std::string& certificate_pem) const;

  [[nodiscard]] std::optional<Certificate> find_certificate(const std::string& id) const;
  [[nodiscard]] std::vector<Certificate> certificates_of(const std::string& thing) const;
  // A revoked certificate stays revoked (conflict). not_found.
  void set_status(const std::string& id, CertificateStatus status);

 private:
  store::Database& database_;
  trust::CertificateAuthority authority_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
