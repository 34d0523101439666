// SPDX-License-Identifier: Apache-2.0
// A certificate for a certificate: how a device stays one of the fleet without the operator. Who
// has the key of a registered, ACTIVE certificate gets a new one for the same thing. One that ran
// out while the device was off may still do that for a year, with the same key, and nothing else.
// Any thread; each call is one transaction.
//
// A server that was restored from a backup does not know the certificates that were renewed since.
// One that its own CA signed later than one that it knows of that thing and key counts as the
// renewal of that one, where that may be renewed: it opens its own renewal, and nothing else.
//
// Of each line of renewals at most two certificates are kept: the one that asked and the new one. A
// device that lost the answer asks again, however often, and gets the same.
#pragma once

#include <optional>
#include <string>

#include "base/time/time.hpp"
#include "control/identity/certificates.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {

class Renewal {
 public:
  // Both must outlive it.
  // `ca_pem` is the CA's certificate.
  Renewal(store::Database& database, const Certificates& certificates, const base::Clock& clock,
          std::string ca_pem);

  // How it is known that the certificate's holder asks.
  enum class Proof {
    by_request,     // the CSR is signed with the certificate's own key
    by_connection,  // TLS has seen the certificate's key, so the CSR may bring another
  };
  // Throws permission_denied for a certificate that is not registered, not ACTIVE, attached to
  // nothing, over for more than a year, or whose key the CSR does not have although it must;
  // invalid_argument for what is no certificate and a bad CSR.
  [[nodiscard]] Certificate renew(const std::string& certificate_pem, const std::string& csr_pem,
                                  Proof proof);

 private:
  // The certificate that asks, as the registry has it; or the one that it was renewed from after
  // the backup.
  [[nodiscard]] std::optional<Certificate> find_asking(store::Transaction& tx,
                                                       const std::string& pem,
                                                       const trust::CertificateInfo& info) const;

  store::Database& database_;
  const Certificates& certificates_;
  const base::Clock& clock_;
  std::string ca_pem_;
};

}  // namespace andon::control
