// SPDX-License-Identifier: Apache-2.0
// The private key that a program proves with who it is: PEM text, or a key that never leaves the
// security module or TPM that it is on. Whoever signs with one asks here for it; what libraries,
// engines and providers are behind it nobody else knows. A value; any thread may load and use one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace andon::trust {

class PrivateKey {
 public:
  explicit PrivateKey(evp_pkey_st* key) : key_(key) {}  // becomes its owner
  [[nodiscard]] evp_pkey_st* get() const { return key_.get(); }

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
};

// Throws invalid_argument for what is no private key in PEM form.
[[nodiscard]] PrivateKey parse_private_key(std::string_view pem);

// What load_private_key() takes for a URI and not for the name of a file.
[[nodiscard]] bool is_key_uri(std::string_view source);

// `source` is one of
//   pkcs11:token=line;object=andon?module-path=/usr/lib/x.so&pin-source=/etc/andon/pin
//       a key on a PKCS#11 token (RFC 7512), by OpenSSL's engine `pkcs11`;
//   handle:0x81000001
//       a persistent P-256 or P-384 key of the TPM, by OpenSSL's provider `tpm2`;
//   the path of a file
//       with PEM text: the key, or one that only the TPM can open ("TSS2 PRIVATE KEY").
// Throws invalid_argument for a source that cannot be one, not_found where there is no such file,
// token or key, permission_denied for a wrong PIN, failed_precondition where a library is missing,
// unavailable where the TPM does not answer. A PIN that was wrong is not shown to its token again
// by this process, for tokens lock themselves after few attempts.
[[nodiscard]] PrivateKey load_private_key(const std::string& source);

}  // namespace andon::trust
