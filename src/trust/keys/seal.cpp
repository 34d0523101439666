// SPDX-License-Identifier: Apache-2.0
// A sealed secret: a byte 1 (the form), 12 bytes of nonce, the ciphertext, 16 bytes of tag.
#include "trust/keys/seal.hpp"

#include <openssl/evp.h>

#include <memory>

#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::trust {
namespace {

using base::Error;
using base::ErrorCode;

constexpr char kForm = 1;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

void require(bool done) {
  if (!done) throw Error(ErrorCode::internal, "OpenSSL cannot encrypt with AES-256-GCM");
}

}  // namespace

SealingKey::SealingKey(std::string bytes) : bytes_(std::move(bytes)) {
  if (bytes_.size() != kBytes) {
    throw Error(ErrorCode::invalid_argument,
                "a sealing key has 32 bytes, and not " + std::to_string(bytes_.size()));
  }
}

std::string SealingKey::make() {
  return base::random_bytes(kBytes);
}

std::string SealingKey::seal(std::string_view secret, std::string_view context) const {
  const std::string nonce = base::random_bytes(kNonceBytes);
  const Context cipher(EVP_CIPHER_CTX_new());
  std::string text(secret.size(), '\0');
  std::string tag(kTagBytes, '\0');
  int count = 0;
  require(cipher != nullptr && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                                  bytes_of(bytes_), bytes_of(nonce)) == 1);
  require(EVP_EncryptUpdate(cipher.get(), nullptr, &count, bytes_of(context),
                            static_cast<int>(context.size())) == 1);
  require(EVP_EncryptUpdate(cipher.get(), bytes_of(text), &count, bytes_of(secret),
                            static_cast<int>(secret.size())) == 1);
  require(EVP_EncryptFinal_ex(cipher.get(), bytes_of(text) + count, &count) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1);
  return kForm + nonce + text + tag;
}

std::string SealingKey::open(std::string_view sealed, std::string_view context) const {
  const auto refuse = [] {
    throw Error(ErrorCode::data_corrupted,
                "a stored secret cannot be opened: it was changed, or sealed with another key");
  };
  if (sealed.size() < 1 + kNonceBytes + kTagBytes || sealed.front() != kForm) refuse();
  const std::string_view nonce = sealed.substr(1, kNonceBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  sealed.remove_prefix(1 + kNonceBytes);
  sealed.remove_suffix(kTagBytes);
  const Context cipher(EVP_CIPHER_CTX_new());
  std::string secret(sealed.size(), '\0');
  int count = 0;
  require(cipher != nullptr && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                                  bytes_of(bytes_), bytes_of(nonce)) == 1);
  require(EVP_DecryptUpdate(cipher.get(), nullptr, &count, bytes_of(context),
                            static_cast<int>(context.size())) == 1);
  require(EVP_DecryptUpdate(cipher.get(), bytes_of(secret), &count, bytes_of(sealed),
                            static_cast<int>(sealed.size())) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), bytes_of(secret) + count, &count) != 1) refuse();
  return secret;
}

}  // namespace andon::trust
