// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/tpm_key.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include <memory>
#include <mutex>

#include "base/error/error.hpp"
#include "trust/keys/delegated_key.hpp"
#include "trust/openssl/openssl_pem.hpp"

namespace andon::trust {
namespace {

using base::Error;
using base::ErrorCode;

using StorePtr = std::unique_ptr<OSSL_STORE_CTX, Freer<OSSL_STORE_close>>;
using StoreInfoPtr = std::unique_ptr<OSSL_STORE_INFO, Freer<OSSL_STORE_INFO_free>>;

constexpr std::string_view kScheme = "handle:0x";
constexpr std::size_t kMaxUriBytes = 32;
constexpr std::size_t kMaxSignatureBytes = 256;

// The TPM of this machine, and the library context in which its provider is.
class Tpm {
 public:
  // One caller at a time: the provider's connection to the TPM is not for several threads.
  template <typename Work>
  auto with_context(Work work) {
    const std::lock_guard lock(mutex_);
    start();
    return work(context_);
  }

 private:
  void start() {
    if (has_tpm_) return;
    if (context_ == nullptr) {
      context_ = OSSL_LIB_CTX_new();
      require_openssl(context_ != nullptr && OSSL_PROVIDER_load(context_, "default") != nullptr &&
                          EVP_set_default_properties(
                              context_, "?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes") == 1,
                      "prepare OpenSSL for the TPM");
    }
    ERR_clear_error();
    if (OSSL_PROVIDER_load(context_, "tpm2") == nullptr) throw absent();
    has_tpm_ = true;
  }

  static Error absent() {
    const std::string reason = openssl_reason();
    if (reason.find("DSO") != std::string::npos ||
        reason.find("shared library") != std::string::npos) {
      return {ErrorCode::failed_precondition,
              "OpenSSL's provider 'tpm2' is not on this machine; install the package tpm2-openssl"};
    }
    return {ErrorCode::unavailable, "the TPM does not answer (" + reason +
                                        "); is there one, and may this user open /dev/tpmrm0?"};
  }

  std::mutex mutex_;
  OSSL_LIB_CTX* context_ = nullptr;
  bool has_tpm_ = false;
};

// Of the process: keys live as long as their connections, and what has made them must outlive them.
Tpm& tpm() {
  static auto* const only = new Tpm;
  return *only;
}

// The least of the digests that a key of this size signs by is the whole of what it is given.
const char* digest_of(std::size_t bytes) {
  switch (bytes) {
    case 32:
      return "SHA256";
    case 48:
      return "SHA384";
    case 64:
      return "SHA512";
    default:
      return nullptr;
  }
}

std::string sign_by_tpm(EVP_PKEY* key, std::string_view digest) {
  return tpm().with_context([&](OSSL_LIB_CTX* context) {
    ERR_clear_error();
    const KeyContextPtr signing(EVP_PKEY_CTX_new_from_pkey(context, key, nullptr));
    const char* const name = digest_of(digest.size());
    std::string signature(kMaxSignatureBytes, '\0');
    std::size_t size = signature.size();
    const auto is_signed = [&] {
      if (!signing || name == nullptr || EVP_PKEY_sign_init(signing.get()) != 1) return false;
      const OSSL_PARAM parameters[] = {
          OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(name), 0),
          OSSL_PARAM_construct_end()};
      return EVP_PKEY_CTX_set_params(signing.get(), parameters) == 1 &&
             EVP_PKEY_sign(signing.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                           reinterpret_cast<const unsigned char*>(digest.data()),
                           digest.size()) == 1;
    };
    if (!is_signed()) {
      throw Error(ErrorCode::unavailable, "the TPM does not sign: " + openssl_reason());
    }
    signature.resize(size);
    return signature;
  });
}

// A key for the rest of the process, whose signatures the TPM makes.
PrivateKey signed_for_by(KeyPtr of_tpm) {
  unsigned char* der = nullptr;
  const int der_bytes = i2d_PUBKEY(of_tpm.get(), &der);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owner(
      der);
  const unsigned char* at = der;
  const KeyPtr public_half(der_bytes > 0 ? d2i_PUBKEY(nullptr, &at, der_bytes) : nullptr);
  if (!public_half || EVP_PKEY_get_base_id(public_half.get()) != EVP_PKEY_EC) {
    ERR_clear_error();
    throw Error(ErrorCode::unsupported,
                "the TPM's key is no elliptic curve key; make one of P-256 (ecc256)");
  }
  const std::shared_ptr<EVP_PKEY> signs(of_tpm.release(), EVP_PKEY_free);
  return delegated_key(public_half.get(), [signs](SignatureKind, std::string_view digest) {
    return sign_by_tpm(signs.get(), digest);
  });
}

KeyPtr key_from_store(OSSL_LIB_CTX* context, const std::string& uri) {
  ERR_clear_error();
  const StorePtr store(OSSL_STORE_open_ex(uri.c_str(), context, nullptr, UI_null(), nullptr,
                                          nullptr, nullptr, nullptr));
  while (store && OSSL_STORE_eof(store.get()) == 0) {
    const StoreInfoPtr info(OSSL_STORE_load(store.get()));
    if (!info) break;
    if (EVP_PKEY* const key = OSSL_STORE_INFO_get1_PKEY(info.get())) return KeyPtr(key);
  }
  throw Error(ErrorCode::not_found,
              "the TPM has no key there that can be used without an authorisation value (" +
                  openssl_reason() + "); `tpm2_getcap handles-persistent` shows what it has");
}

}  // namespace

bool is_tpm_uri(std::string_view source) {
  return source.starts_with("handle:");
}

bool is_tpm_pem(std::string_view pem) {
  return pem.find("-----BEGIN TSS2 PRIVATE KEY-----") != std::string_view::npos;
}

PrivateKey load_tpm_key(const std::string& uri) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  const bool is_handle = uri.size() > kScheme.size() && uri.size() <= kMaxUriBytes &&
                         uri.starts_with(kScheme) &&
                         uri.find_first_not_of(kDigits, kScheme.size()) == std::string::npos;
  if (!is_handle) {
    throw Error(ErrorCode::invalid_argument,
                "a key of the TPM is named by its persistent handle, as handle:0x81000001");
  }
  return signed_for_by(
      tpm().with_context([&](OSSL_LIB_CTX* context) { return key_from_store(context, uri); }));
}

PrivateKey parse_tpm_key(const std::string& pem) {
  return signed_for_by(tpm().with_context([&](OSSL_LIB_CTX* context) {
    return parse_pem<KeyPtr>(
        pem, "key that this machine's TPM can open",
        [context](BIO* bio, EVP_PKEY** key, pem_password_cb* password, void* data) {
          return PEM_read_bio_PrivateKey_ex(bio, key, password, data, context, nullptr);
        });
  }));
}

}  // namespace andon::trust
