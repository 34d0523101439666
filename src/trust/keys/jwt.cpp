// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/jwt.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <array>
#include <memory>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/text/encoding.hpp"
#include "trust/openssl/openssl_pointers.hpp"

namespace andon::trust {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::size_t kDepth = 16;
constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;

using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using ParametersPtr = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;

struct Kind {
  std::string_view name;
  JwtAlgorithm algorithm;
  bool is_rsa;
  std::string_view curve;  // of ECDSA
  std::size_t half;        // of an ECDSA signature, in bytes
  const EVP_MD* (*digest)();
};
constexpr std::array<Kind, 6> kKinds = {{
    {"RS256", JwtAlgorithm::rs256, true, "", 0, EVP_sha256},
    {"RS384", JwtAlgorithm::rs384, true, "", 0, EVP_sha384},
    {"RS512", JwtAlgorithm::rs512, true, "", 0, EVP_sha512},
    {"ES256", JwtAlgorithm::es256, false, "P-256", 32, EVP_sha256},
    {"ES384", JwtAlgorithm::es384, false, "P-384", 48, EVP_sha384},
    {"ES512", JwtAlgorithm::es512, false, "P-521", 66, EVP_sha512},
}};

const Kind& kind_of(JwtAlgorithm algorithm) {
  return kKinds[static_cast<std::size_t>(algorithm)];
}

Error wrong(const std::string& what) {
  return {ErrorCode::invalid_argument, what};
}

json::object part(std::string_view text, const std::string& what) {
  const auto bytes = base::from_base64url(text);
  if (!bytes) throw wrong("the token's " + what + " is not base64url");
  json::value value;
  try {
    value = base::parse_json(*bytes, "the token's " + what,
                             {.max_bytes = kMostTokenBytes, .max_depth = kDepth});
  } catch (const Error&) {
    throw wrong("the token's " + what + " is no JSON");
  }
  if (!value.is_object()) throw wrong("the token's " + what + " is no JSON object");
  return std::move(value.as_object());
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

NumberPtr number(std::string_view bytes) {
  return NumberPtr(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

KeyPtr made(const char* type, OSSL_PARAM_BLD* builder) {
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return KeyPtr(key);
}

KeyPtr rsa_key(const Jwk& key) {
  const NumberPtr modulus = number(key.modulus);
  const NumberPtr exponent = number(key.exponent);
  if (!modulus || !exponent || BN_num_bits(modulus.get()) < kLeastRsaBits ||
      BN_num_bits(modulus.get()) > kMostRsaBits || BN_num_bits(exponent.get()) > 32 ||
      BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1) {
    return nullptr;
  }
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return made("RSA", builder.get());
}

// A point that is not on its curve makes no key.
KeyPtr ec_key(const Jwk& key, std::size_t half) {
  if (key.x.size() != half || key.y.size() != half) return nullptr;
  const std::string point = '\x04' + key.x + key.y;
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, key.curve.c_str(),
                                      key.curve.size()) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return made("EC", builder.get());
}

// r and s beside each other, as ASN.1.
std::optional<std::string> der_signature(std::string_view raw, std::size_t half) {
  if (raw.size() != 2 * half) return std::nullopt;
  const SignaturePtr signature(ECDSA_SIG_new());
  NumberPtr r = number(raw.substr(0, half));
  NumberPtr s = number(raw.substr(half));
  if (!signature || !r || !s) return std::nullopt;
  if (ECDSA_SIG_set0(signature.get(), r.release(), s.release()) != 1) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

std::optional<std::string> bytes_at(const json::object& object, std::string_view key) {
  return base::from_base64url(base::text_at(object, key));
}

std::optional<Jwk> read_key(const json::object& object) {
  if (const std::string use = base::text_at(object, "use"); !use.empty() && use != "sig") {
    return std::nullopt;
  }
  Jwk key{.key_id = base::text_at(object, "kid"), .algorithm = base::text_at(object, "alg")};
  const std::string type = base::text_at(object, "kty");
  if (type == "RSA") {
    const auto modulus = bytes_at(object, "n");
    const auto exponent = bytes_at(object, "e");
    if (!modulus || !exponent || modulus->empty() || exponent->empty()) return std::nullopt;
    key.modulus = *modulus;
    key.exponent = *exponent;
    return key;
  }
  if (type != "EC") return std::nullopt;
  const auto x = bytes_at(object, "x");
  const auto y = bytes_at(object, "y");
  if (!x || !y) return std::nullopt;
  key.is_rsa = false;
  key.curve = base::text_at(object, "crv");
  key.x = *x;
  key.y = *y;
  return key;
}

}  // namespace

Jwt read_jwt(std::string_view text) {
  if (text.size() > kMostTokenBytes) {
    throw wrong("the token has more than " + std::to_string(kMostTokenBytes) + " bytes");
  }
  const std::size_t first = text.find('.');
  const std::size_t second = first == text.npos ? text.npos : text.find('.', first + 1);
  if (second == text.npos || text.find('.', second + 1) != text.npos) {
    throw wrong("the token has not three parts");
  }
  const json::object header = part(text.substr(0, first), "header");
  const std::string algorithm = base::text_at(header, "alg");
  Jwt token;
  bool is_known = false;
  for (const Kind& kind : kKinds) {
    if (kind.name != algorithm) continue;
    token.algorithm = kind.algorithm;
    is_known = true;
  }
  if (!is_known) {
    throw wrong(
        "the token is not signed with RS256, RS384, RS512, ES256, ES384 or ES512; no other "
        "algorithm is taken");
  }
  // An extension that must be understood is not.
  if (header.contains("crit")) throw wrong("the token's header has critical extensions");
  token.key_id = base::text_at(header, "kid");
  token.claims = part(text.substr(first + 1, second - first - 1), "payload");
  token.signed_part = text.substr(0, second);
  const auto signature = base::from_base64url(text.substr(second + 1));
  if (!signature || signature->empty()) throw wrong("the token has no signature in base64url");
  token.signature = *signature;
  return token;
}

std::vector<Jwk> read_jwks(std::string_view text) {
  const json::value value = base::parse_json(text, "a JSON Web Key Set",
                                             {.max_bytes = kMostKeySetBytes, .max_depth = kDepth});
  const auto* object = value.if_object();
  const auto* keys = object == nullptr ? nullptr : object->if_contains("keys");
  if (keys == nullptr || !keys->is_array()) {
    throw wrong("a JSON Web Key Set needs an array 'keys'");
  }
  if (keys->get_array().size() > kMostKeys) {
    throw wrong("a JSON Web Key Set has more than " + std::to_string(kMostKeys) + " keys");
  }
  std::vector<Jwk> read;
  for (const json::value& one : keys->get_array()) {
    const auto* members = one.if_object();
    if (members == nullptr) throw wrong("a JSON Web Key Set has a key that is no object");
    if (auto key = read_key(*members)) read.push_back(*std::move(key));
  }
  return read;
}

bool is_signed_by(const Jwt& token, const Jwk& key) {
  const Kind& kind = kind_of(token.algorithm);
  if (key.is_rsa != kind.is_rsa || (!kind.is_rsa && key.curve != kind.curve) ||
      (!key.algorithm.empty() && key.algorithm != kind.name)) {
    return false;
  }
  std::string signature = token.signature;
  if (!kind.is_rsa) {
    const auto der = der_signature(token.signature, kind.half);
    if (!der) return false;
    signature = *der;
  }
  const KeyPtr public_key = kind.is_rsa ? rsa_key(key) : ec_key(key, kind.half);
  const DigestContextPtr context(EVP_MD_CTX_new());
  const bool is_good =
      public_key && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, kind.digest(), nullptr, public_key.get()) == 1 &&
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                       bytes_of(token.signed_part), token.signed_part.size()) == 1;
  ERR_clear_error();
  return is_good;
}

}  // namespace andon::trust
