// SPDX-License-Identifier: Apache-2.0
// How a device becomes one of the fleet: a one-time token of the operator, exchanged for a
// certificate signed from the device's CSR. Any thread; each call is one transaction. Only a hash
// of a token's secret is stored.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/identity/certificates.hpp"
#include "control/iotpolicy/iot_policies.hpp"
#include "store/sql/database.hpp"

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

class Enrolment {
 public:
  // All must outlive it.
  Enrolment(store::Database& database, const Certificates& certificates,
            const IotPolicies& policies, const base::Clock& clock);

  // The thing is made if it is not there. Its certificate will have these IoT policies. Throws
  // invalid_argument for a bad or reserved name or a lifetime that is not between a minute and 30
  // days, not_found for an unknown policy.
  [[nodiscard]] EnrolmentToken issue_token(const std::string& thing, std::chrono::seconds lifetime,
                                           const std::vector<std::string>& policies = {});

  // Up to `limit`; answers how many.
  std::int64_t remove_expired_tokens(std::int64_t limit);

  // One token, one certificate. Who lost the answer may ask again with the same key for a minute
  // and gets the same certificate. Throws permission_denied for a secret that is unknown, used or
  // expired, invalid_argument for a bad CSR.
  [[nodiscard]] EnrolledDevice enrol(const std::string& secret, const std::string& csr_pem);

 private:
  [[nodiscard]] std::string given_before(store::Transaction& tx, const store::Row& token,
                                         bool is_same_key, base::Timestamp now) const;

  store::Database& database_;
  const Certificates& certificates_;
  const IotPolicies& policies_;
  const base::Clock& clock_;
};

}  // namespace andon::control
