// SPDX-License-Identifier: Apache-2.0
// The plant's own certificate for the operator API (--api-certificate, --api-key): read, checked,
// and read again when its files are others, so that who renews it need not start the server anew.
// Owned by the server. Any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "trust/keys/certificate.hpp"
#include "wire/http/http_server.hpp"

namespace andon::server {

struct CertificateFiles {
  base::fs::path certificate;  // PEM: its own certificate, then those between it and the authority
  base::fs::path key;          // PEM, without a password; not for everybody to read
};

// Throws invalid_argument, and what reading a file throws, saying which file and what to do: a key
// that is not the certificate's or that others may read, a certificate that is over, or for no
// name.
[[nodiscard]] wire::TlsIdentity read_identity(const CertificateFiles& files, base::Timestamp now);

class ApiCertificate {
 public:
  // Empty files: there is none. Throws as read_identity().
  ApiCertificate(CertificateFiles files, const base::Clock& clock);
  ApiCertificate(const ApiCertificate&) = delete;
  ApiCertificate& operator=(const ApiCertificate&) = delete;
  ~ApiCertificate() = default;

  // What is to be shown; nothing: there is none.
  [[nodiscard]] std::optional<wire::TlsIdentity> identity() const;
  [[nodiscard]] std::optional<trust::CertificateInfo> info() const;

  // What the files have now, where that is another than before. What cannot be used is logged, once
  // for each content, and leaves everything as it was. From one thread.
  [[nodiscard]] std::optional<wire::TlsIdentity> look_again();

 private:
  const CertificateFiles files_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  wire::TlsIdentity identity_;
  std::string last_problem_;  // of look_again() alone
};

}  // namespace andon::server
