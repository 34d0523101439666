// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/private_key.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "trust/keys/pkcs11_key.hpp"
#include "trust/keys/tpm_key.hpp"
#include "trust/openssl/openssl_pem.hpp"

namespace andon::trust {

void PrivateKey::Free::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

PrivateKey parse_private_key(std::string_view pem) {
  return PrivateKey(parse_pem<KeyPtr>(pem, "private key", PEM_read_bio_PrivateKey).release());
}

bool is_key_uri(std::string_view source) {
  return is_pkcs11_uri(source) || is_tpm_uri(source);
}

PrivateKey load_private_key(const std::string& source) {
  try {
    if (is_pkcs11_uri(source)) return load_pkcs11_key(source);
    if (is_tpm_uri(source)) return load_tpm_key(source);
    const std::string pem = base::read_file(source, kMaxPemBytes);
    return is_tpm_pem(pem) ? parse_tpm_key(pem) : parse_private_key(pem);
  } catch (base::Error& error) {
    // Without what follows the `?`: it may be a PIN.
    throw error.with_context("cannot use the private key " + source.substr(0, source.find('?')));
  }
}

}  // namespace andon::trust
