// SPDX-License-Identifier: Apache-2.0
// Digests (OpenSSL). Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/os/file.hpp"

namespace andon::trust {

using Sha256 = std::array<std::uint8_t, 32>;
using Md5 = std::array<std::uint8_t, 16>;
using Sha1 = std::array<std::uint8_t, 20>;

// Incremental: update() any number of times, then finish() once.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  ~Sha256Stream();
  void update(std::string_view bytes);
  [[nodiscard]] Sha256 finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// MD5 is here only because S3's ETag is one; nothing is trusted on its word.
class Md5Stream {
 public:
  Md5Stream();
  Md5Stream(Md5Stream&&) noexcept;
  Md5Stream& operator=(Md5Stream&&) noexcept;
  ~Md5Stream();
  void update(std::string_view bytes);
  [[nodiscard]] Md5 finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
[[nodiscard]] std::string sha256_hex_of_file(const base::fs::path& path);
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
// Only for URLs that S3's clients still presign with Signature Version 2.
[[nodiscard]] Sha1 hmac_sha1(std::string_view key, std::string_view bytes);

// Takes the same time wherever the two differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace andon::trust
