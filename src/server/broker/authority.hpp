// SPDX-License-Identifier: Apache-2.0
// The server's own certificates on disk: the private CA and what it signs for the server, for its
// MQTT client and for the operator. Made where they are missing, renewed where they are about to
// expire or the server's names have changed; keys are readable by their owner only.
// Made once at start, before any thread; then constant. A crash at any moment is mended by the
// next start: a certificate is written after its key, and a pair that does not fit is made anew.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::server {

// Names that no thing may have: they are the CNs of the server's and the operator's certificates.
inline constexpr std::string_view kServerClientName = "andon-server";
inline constexpr std::string_view kOperatorName = "andon-operator";

struct KeyPairFiles {
  base::fs::path certificate;
  base::fs::path private_key;
};

class Authority {
 public:
  // `names` are the host names and IP addresses by which devices and operators reach the server;
  // localhost, 127.0.0.1 and ::1 are always among them. Throws data_corrupted where the CA's files
  // do not fit together: a new CA would lock out every device, so that is for a person to decide.
  Authority(const base::fs::path& data_directory, const std::vector<std::string>& names,
            base::Timestamp now);

  [[nodiscard]] const trust::CertificateAuthority& authority() const { return authority_; }
  [[nodiscard]] const base::fs::path& ca_file() const { return ca_file_; }
  // For the HTTPS and MQTT listeners.
  [[nodiscard]] const KeyPairFiles& server() const { return server_; }
  // For the server as a client of its broker.
  [[nodiscard]] const KeyPairFiles& server_client() const { return server_client_; }
  [[nodiscard]] const KeyPairFiles& operator_client() const { return operator_client_; }
  // The files that this object wrote, for the person who runs `init`.
  [[nodiscard]] const std::vector<base::fs::path>& written() const { return written_; }

 private:
  void ensure_ca(const base::fs::path& directory, base::Timestamp now);
  KeyPairFiles ensure_certificate(const base::fs::path& stem,
                                  const trust::CertificateRequest& wanted);
  void write(const base::fs::path& path, const std::string& content);

  trust::CertificateAuthority authority_;
  base::fs::path ca_file_;
  KeyPairFiles server_;
  KeyPairFiles server_client_;
  KeyPairFiles operator_client_;
  std::vector<base::fs::path> written_;
};

}  // namespace andon::server
