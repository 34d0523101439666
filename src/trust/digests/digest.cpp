// SPDX-License-Identifier: Apache-2.0
#include "trust/digests/digest.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::trust {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeContext>;

void require(bool ok, const char* step) {
  if (!ok) {
    throw base::Error(base::ErrorCode::internal,
                      std::string("OpenSSL cannot ") + step + " a digest (out of memory?)");
  }
}

DigestContext start(const EVP_MD* algorithm) {
  DigestContext context(EVP_MD_CTX_new());
  require(context != nullptr && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1, "start");
  return context;
}

void add(EVP_MD_CTX* context, std::string_view bytes) {
  require(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1, "continue");
}

template <typename Digest>
Digest finish(EVP_MD_CTX* context) {
  Digest digest{};
  require(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1, "finish");
  return digest;
}

template <typename Digest>
Digest hmac(const EVP_MD* algorithm, std::string_view key, std::string_view bytes) {
  Digest digest{};
  const auto* result = HMAC(algorithm, key.data(), static_cast<int>(key.size()),
                            base::as_bytes(bytes).data(), bytes.size(), digest.data(), nullptr);
  require(result != nullptr, "key");
  return digest;
}

}  // namespace

struct Sha256Stream::Context {
  DigestContext digest = start(EVP_sha256());
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {}
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;
Sha256Stream::~Sha256Stream() = default;
void Sha256Stream::update(std::string_view bytes) {
  add(context_->digest.get(), bytes);
}
Sha256 Sha256Stream::finish() {
  return trust::finish<Sha256>(context_->digest.get());
}

struct Md5Stream::Context {
  DigestContext digest = start(EVP_md5());
};

Md5Stream::Md5Stream() : context_(std::make_unique<Context>()) {}
Md5Stream::Md5Stream(Md5Stream&&) noexcept = default;
Md5Stream& Md5Stream::operator=(Md5Stream&&) noexcept = default;
Md5Stream::~Md5Stream() = default;
void Md5Stream::update(std::string_view bytes) {
  add(context_->digest.get(), bytes);
}
Md5 Md5Stream::finish() {
  return trust::finish<Md5>(context_->digest.get());
}

Sha256 sha256(std::string_view bytes) {
  Sha256Stream stream;
  stream.update(bytes);
  return stream.finish();
}

std::string sha256_hex(std::string_view bytes) {
  return base::to_hex(sha256(bytes));
}

std::string sha256_hex_of_file(const base::fs::path& path) {
  const base::UniqueFd fd = base::open_file(path, O_RDONLY);
  Sha256Stream stream;
  std::vector<char> buffer(256U << 10U);
  while (true) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::system_error("cannot read '" + path.string() + "'", errno);
    if (got == 0) return base::to_hex(stream.finish());
    stream.update({buffer.data(), static_cast<std::size_t>(got)});
  }
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  return hmac<Sha256>(EVP_sha256(), key, bytes);
}

Sha1 hmac_sha1(std::string_view key, std::string_view bytes) {
  return hmac<Sha1>(EVP_sha1(), key, bytes);
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace andon::trust
