// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens (RFC 7519) and the key sets that they are verified with (RFC 7517), as OpenID
// providers give them. Signed with RSA (RS256, RS384, RS512) or ECDSA (ES256, ES384, ES512): a
// token that says "none", or that a shared secret signs (HS...), is refused when it is read.
// Values; pure; any thread. Everything read here comes from outside and is limited.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::trust {

enum class JwtAlgorithm : std::uint8_t { rs256, rs384, rs512, es256, es384, es512 };

inline constexpr std::size_t kMostTokenBytes = 20'000;
inline constexpr std::size_t kMostKeySetBytes = 256U << 10U;
inline constexpr std::size_t kMostKeys = 100;

struct Jwt {
  JwtAlgorithm algorithm = JwtAlgorithm::rs256;
  std::string key_id;  // empty: the token does not say
  base::json::object claims;
  std::string signed_part;
  std::string signature;
};
// Throws invalid_argument saying what is wrong; never repeats the token. Nothing of it has been
// verified.
[[nodiscard]] Jwt read_jwt(std::string_view text);

// A public key for signatures. Big-endian numbers.
struct Jwk {
  std::string key_id;     // may be empty
  std::string algorithm;  // "RS256"; empty: any that fits
  bool is_rsa = true;
  std::string modulus, exponent;  // RSA
  std::string curve;              // "P-256", "P-384", "P-521"
  std::string x, y;               // EC
};
// Keys for other uses or of other kinds are left out. Throws invalid_argument.
[[nodiscard]] std::vector<Jwk> read_jwks(std::string_view text);

// Has `key` signed it? False, too, where key and algorithm do not fit, or the key is too weak (RSA
// below 2048 bits).
[[nodiscard]] bool is_signed_by(const Jwt& token, const Jwk& key);

}  // namespace andon::trust
