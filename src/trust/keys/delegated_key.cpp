// SPDX-License-Identifier: Apache-2.0
// An EC_KEY or RSA with a method of its own is what OpenSSL 3.0 has for a key whose signing is done
// elsewhere; it is deprecated in favour of providers, of which this makes one needless.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "trust/keys/delegated_key.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <utility>

#include "base/error/error.hpp"
#include "trust/openssl/openssl_low_level_keys.hpp"
#include "trust/openssl/openssl_pem.hpp"

namespace andon::trust {
namespace {

using SharedSign = std::shared_ptr<Sign>;

// A key of OpenSSL carries a pointer to a SharedSign of its own.
void free_sign(void*, void* held, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<SharedSign*>(held);
}
int share_sign(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** held, int, long, void*) {
  if (*held != nullptr) *held = new SharedSign(*static_cast<SharedSign*>(*held));
  return 1;
}
int ec_index() {
  static const int index = EC_KEY_get_ex_new_index(0, nullptr, nullptr, share_sign, free_sign);
  return index;
}
int rsa_index() {
  static const int index = RSA_get_ex_new_index(0, nullptr, nullptr, share_sign, free_sign);
  return index;
}

// Empty where it has failed: nothing may be thrown through OpenSSL, which is told why.
std::string signature_by(void* held, SignatureKind kind, const unsigned char* input,
                         int bytes) noexcept {
  if (held == nullptr || bytes < 0) return {};
  // Libraries of tokens use OpenSSL as well, and leave their errors to whoever comes after.
  ERR_set_mark();
  try {
    std::string signature = (**static_cast<SharedSign*>(held))(
        kind, {reinterpret_cast<const char*>(input), static_cast<std::size_t>(bytes)});
    ERR_pop_to_mark();
    return signature;
  } catch (const std::exception& error) {
    ERR_pop_to_mark();
    ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "%s", error.what());
    return {};
  }
}

int sign_ec(int, const unsigned char* digest, int bytes, unsigned char* out,
            unsigned int* out_bytes, const BIGNUM*, const BIGNUM*, EC_KEY* key) noexcept {
  const std::string signature =
      signature_by(EC_KEY_get_ex_data(key, ec_index()), SignatureKind::ecdsa, digest, bytes);
  if (signature.empty() || signature.size() > static_cast<std::size_t>(ECDSA_size(key))) return 0;
  std::ranges::copy(signature, out);
  *out_bytes = static_cast<unsigned int>(signature.size());
  return 1;
}

ECDSA_SIG* sign_ec_as_numbers(const unsigned char* digest, int bytes, const BIGNUM*, const BIGNUM*,
                              EC_KEY* key) noexcept {
  const std::string signature =
      signature_by(EC_KEY_get_ex_data(key, ec_index()), SignatureKind::ecdsa, digest, bytes);
  const auto* at = reinterpret_cast<const unsigned char*>(signature.data());
  return d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size()));
}

// What OpenSSL calls it for every signature: -1 where it failed.
int encrypt_rsa(int bytes, const unsigned char* input, unsigned char* out, RSA* key,
                int padding) noexcept {
  if (padding != RSA_PKCS1_PADDING && padding != RSA_NO_PADDING) return -1;
  const std::string signature =
      signature_by(RSA_get_ex_data(key, rsa_index()),
                   padding == RSA_PKCS1_PADDING ? SignatureKind::rsa_pkcs1 : SignatureKind::rsa_raw,
                   input, bytes);
  if (signature.size() != static_cast<std::size_t>(RSA_size(key))) return -1;
  std::ranges::copy(signature, out);
  return static_cast<int>(signature.size());
}

const EC_KEY_METHOD* ec_method() {
  static EC_KEY_METHOD* const only = [] {
    EC_KEY_METHOD* const made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    require_openssl(made != nullptr, "prepare a key that is signed for elsewhere");
    EC_KEY_METHOD_set_sign(made, sign_ec, nullptr, sign_ec_as_numbers);
    return made;
  }();
  return only;
}

const RSA_METHOD* rsa_method() {
  static RSA_METHOD* const only = [] {
    RSA_METHOD* const made = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    require_openssl(made != nullptr && RSA_meth_set_priv_enc(made, encrypt_rsa) == 1 &&
                        RSA_meth_set_flags(made, 0) == 1,
                    "prepare a key that is signed for elsewhere");
    return made;
  }();
  return only;
}

// Each becomes the owner of `held` where it succeeds.
bool becomes_ec(EVP_PKEY* whole, EVP_PKEY* public_half, std::unique_ptr<SharedSign>& held) {
  const EcKeyPtr public_key(EVP_PKEY_get1_EC_KEY(public_half));
  EcKeyPtr key(public_key ? EC_KEY_dup(public_key.get()) : nullptr);
  if (!key || EC_KEY_set_method(key.get(), ec_method()) != 1 ||
      EC_KEY_set_ex_data(key.get(), ec_index(), held.get()) != 1) {
    return false;
  }
  (void)held.release();
  if (EVP_PKEY_assign_EC_KEY(whole, key.get()) != 1) return false;
  (void)key.release();
  return true;
}

bool becomes_rsa(EVP_PKEY* whole, EVP_PKEY* public_half, std::unique_ptr<SharedSign>& held) {
  const RsaPtr public_key(EVP_PKEY_get1_RSA(public_half));
  RsaPtr key(public_key ? RSAPublicKey_dup(public_key.get()) : nullptr);
  if (!key || RSA_set_method(key.get(), rsa_method()) != 1 ||
      RSA_set_ex_data(key.get(), rsa_index(), held.get()) != 1) {
    return false;
  }
  (void)held.release();
  if (EVP_PKEY_assign_RSA(whole, key.get()) != 1) return false;
  (void)key.release();
  return true;
}

}  // namespace

PrivateKey delegated_key(EVP_PKEY* public_half, Sign sign) {
  const int type = EVP_PKEY_get_base_id(public_half);
  if (type != EVP_PKEY_EC && type != EVP_PKEY_RSA) {
    throw base::Error(base::ErrorCode::unsupported,
                      "it is a key neither of an elliptic curve nor of RSA");
  }
  auto held = std::make_unique<SharedSign>(std::make_shared<Sign>(std::move(sign)));
  KeyPtr whole(EVP_PKEY_new());
  require_openssl(whole != nullptr, "make a key");
  require_openssl(type == EVP_PKEY_EC ? becomes_ec(whole.get(), public_half, held)
                                      : becomes_rsa(whole.get(), public_half, held),
                  "use the public half of a key");
  return PrivateKey(whole.release());
}

}  // namespace andon::trust
