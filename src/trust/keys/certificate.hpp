// SPDX-License-Identifier: Apache-2.0
// Keys and X.509 certificates (OpenSSL), all as PEM text: P-256 keys, a private CA, leaf
// certificates signed from a CSR. Pure; any thread. Errors are base::Error(invalid_argument) for
// PEM that is not what it should be.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "trust/keys/private_key.hpp"

namespace andon::trust {

[[nodiscard]] std::string make_private_key();                               // P-256, PKCS#8 PEM
[[nodiscard]] std::string public_key_of(std::string_view private_key_pem);  // PEM
[[nodiscard]] std::string make_csr(std::string_view private_key_pem, std::string_view common_name);
[[nodiscard]] std::string make_csr(const PrivateKey& key, std::string_view common_name);

struct CertificateAuthority {
  std::string certificate_pem;
  std::string private_key_pem;
};
[[nodiscard]] CertificateAuthority make_certificate_authority(std::string_view common_name,
                                                              base::Timestamp now,
                                                              std::chrono::days lifetime);

enum class CertificateUse { server, client };
struct CertificateRequest {
  std::string common_name;  // replaces whatever the CSR says; 1 to 128 bytes, as a thing name
  CertificateUse use = CertificateUse::client;
  std::vector<std::string> dns_names;  // subjectAltName
  std::vector<std::string> ip_addresses;
  base::Timestamp not_before;
  std::chrono::days lifetime{3650};  // cut to the authority's own end
};
// Checks the CSR's own signature (proof that the asker has the key) and that the key is not
// weaker than RSA-2048. 128-bit random serial. The answer is one certificate, no chain.
[[nodiscard]] std::string sign_csr(const CertificateAuthority& authority, std::string_view csr_pem,
                                   const CertificateRequest& request);

struct CertificateInfo {
  std::string common_name;  // empty where there is none
  std::string serial_hex;
  std::string fingerprint;        // SHA-256 of the DER, lower-case hex: AWS's certificateId
  std::string public_key_sha256;  // of the SubjectPublicKeyInfo, lower-case hex
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  base::Timestamp not_before;
  base::Timestamp not_after;
};
[[nodiscard]] CertificateInfo describe_certificate(std::string_view certificate_pem);

// Who a certificate is of and from, part by part, by the names that AWS IoT's policies have for
// them ("CommonName", "Organization"); parts without such a name are left out.
struct NamePart {
  std::string field;
  std::string value;  // UTF-8
};
struct CertificateNames {
  std::vector<NamePart> subject;
  std::vector<NamePart> issuer;
};
[[nodiscard]] CertificateNames names_of_certificate(std::string_view certificate_pem);

// The same value as CertificateInfo::public_key_sha256 of a certificate signed from this CSR.
[[nodiscard]] std::string public_key_sha256_of_csr(std::string_view csr_pem);

// True when `certificate_pem` was signed by `authority_pem` and is valid at `now`.
[[nodiscard]] bool is_signed_by(std::string_view certificate_pem, std::string_view authority_pem,
                                base::Timestamp now);

// True when the private key belongs to the certificate.
[[nodiscard]] bool is_key_of(std::string_view private_key_pem, std::string_view certificate_pem);
[[nodiscard]] bool is_key_of(const PrivateKey& key, std::string_view certificate_pem);

}  // namespace andon::trust
