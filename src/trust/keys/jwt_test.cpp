// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/jwt.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::trust {
namespace {

using base::to_base64url;
using testing::HasSubstr;

std::string number(EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* value = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &value), 1);
  std::string bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(value)) : size, '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_free(value);
  return to_base64url(bytes);
}

// A key and tokens signed with it, as a provider makes them.
class Signer {
 public:
  static Signer rsa(unsigned bits = 2048) {
    return {EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)), 0};
  }
  static Signer ec(const char* curve, std::size_t half) {
    return {EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve), half};
  }
  Signer(EVP_PKEY* key, std::size_t half) : key_(key), half_(half) {}
  Signer(Signer&& other) noexcept : key_(std::exchange(other.key_, nullptr)), half_(other.half_) {}
  Signer(const Signer&) = delete;
  ~Signer() { EVP_PKEY_free(key_); }

  [[nodiscard]] std::string jwks(const std::string& curve = "",
                                 const std::string& more = "") const {
    const std::string key = half_ == 0
                                ? R"("kty":"RSA","n":")" + number(key_, OSSL_PKEY_PARAM_RSA_N, 0) +
                                      R"(","e":")" + number(key_, OSSL_PKEY_PARAM_RSA_E, 0) + '"'
                                : R"("kty":"EC","crv":")" + curve + R"(","x":")" +
                                      number(key_, OSSL_PKEY_PARAM_EC_PUB_X, half_) + R"(","y":")" +
                                      number(key_, OSSL_PKEY_PARAM_EC_PUB_Y, half_) + '"';
    return R"({"keys":[{"kid":"k1","use":"sig",)" + key + more + "}]}";
  }
  [[nodiscard]] std::string token(const std::string& algorithm, const EVP_MD* digest,
                                  const std::string& payload = R"({"sub":"eva"})") const {
    const std::string text =
        to_base64url(R"({"alg":")" + algorithm + R"(","kid":"k1"})") + "." + to_base64url(payload);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, digest, nullptr, key_), 1);
    std::size_t size = 1024;
    std::string signature(size, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(signature.data());
    EXPECT_EQ(EVP_DigestSign(context, bytes, &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    EVP_MD_CTX_free(context);
    signature.resize(size);
    if (half_ != 0) {
      const unsigned char* der = bytes;
      ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size));
      std::string raw(2 * half_, '\0');
      auto* out = reinterpret_cast<unsigned char*>(raw.data());
      BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, static_cast<int>(half_));
      BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half_, static_cast<int>(half_));
      ECDSA_SIG_free(pair);
      signature = raw;
    }
    return text + "." + to_base64url(signature);
  }

 private:
  EVP_PKEY* key_;
  std::size_t half_;
};

bool is_good(const std::string& token, const std::string& jwks) {
  const auto keys = read_jwks(jwks);
  return !keys.empty() && is_signed_by(read_jwt(token), keys.front());
}

std::string refusal(const std::string& token) {
  try {
    (void)read_jwt(token);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "it was taken";
}

TEST(Jwt, EachAlgorithmIsVerifiedWithItsKeyAndNoOther) {
  const Signer rsa = Signer::rsa();
  const Signer p256 = Signer::ec("P-256", 32);
  const Signer p384 = Signer::ec("P-384", 48);
  const Signer p521 = Signer::ec("P-521", 66);
  EXPECT_TRUE(is_good(rsa.token("RS256", EVP_sha256()), rsa.jwks()));
  EXPECT_TRUE(is_good(rsa.token("RS384", EVP_sha384()), rsa.jwks()));
  EXPECT_TRUE(is_good(rsa.token("RS512", EVP_sha512()), rsa.jwks()));
  EXPECT_TRUE(is_good(p256.token("ES256", EVP_sha256()), p256.jwks("P-256")));
  EXPECT_TRUE(is_good(p384.token("ES384", EVP_sha384()), p384.jwks("P-384")));
  EXPECT_TRUE(is_good(p521.token("ES512", EVP_sha512()), p521.jwks("P-521")));
  // Another key, another digest than the header says, a key for another algorithm.
  EXPECT_FALSE(is_good(rsa.token("RS256", EVP_sha256()), Signer::rsa().jwks()));
  EXPECT_FALSE(is_good(rsa.token("RS512", EVP_sha256()), rsa.jwks()));
  EXPECT_FALSE(is_good(rsa.token("RS256", EVP_sha256()), rsa.jwks("", R"(,"alg":"RS512")")));
  EXPECT_FALSE(is_good(rsa.token("RS256", EVP_sha256()), p256.jwks("P-256")));
  EXPECT_FALSE(is_good(p256.token("ES256", EVP_sha256()), rsa.jwks()));
  EXPECT_FALSE(is_good(p256.token("ES384", EVP_sha256()), p256.jwks("P-256")));
  EXPECT_FALSE(is_good(p256.token("ES256", EVP_sha256()), p256.jwks("P-384")));
}

TEST(Jwt, AChangedTokenIsNotSigned) {
  const Signer rsa = Signer::rsa();
  std::string token = rsa.token("RS256", EVP_sha256());
  const std::size_t payload = token.find('.') + 1;
  token.replace(payload, token.rfind('.') - payload, to_base64url(R"({"sub":"adm"})"));
  EXPECT_FALSE(is_good(token, rsa.jwks()));
}

TEST(Jwt, AWeakKeyVerifiesNothing) {
  const Signer weak = Signer::rsa(1024);
  EXPECT_FALSE(is_good(weak.token("RS256", EVP_sha256()), weak.jwks()));
}

TEST(Jwt, NoneAndSharedSecretsAreRefused) {
  const std::string rest = "." + to_base64url("{}") + ".";
  for (const char* algorithm : {"none", "None", "HS256", "HS512", "PS256", "EdDSA", ""}) {
    EXPECT_THAT(refusal(to_base64url(R"({"alg":")" + std::string(algorithm) + R"("})") + rest +
                        to_base64url("x")),
                HasSubstr("not signed with"))
        << algorithm;
  }
}

TEST(Jwt, WhatIsNoTokenIsRefused) {
  const std::string header = to_base64url(R"({"alg":"RS256"})");
  EXPECT_THAT(refusal(""), HasSubstr("three parts"));
  EXPECT_THAT(refusal("a.b"), HasSubstr("three parts"));
  EXPECT_THAT(refusal("a.b.c.d"), HasSubstr("three parts"));
  EXPECT_THAT(refusal("!.b.c"), HasSubstr("base64url"));
  EXPECT_THAT(refusal(to_base64url("[]") + ".b.c"), HasSubstr("object"));
  EXPECT_THAT(refusal(header + "." + to_base64url("{") + ".c"), HasSubstr("no JSON"));
  EXPECT_THAT(refusal(header + "." + to_base64url("{}") + "."), HasSubstr("no signature"));
  EXPECT_THAT(
      refusal(to_base64url(R"({"alg":"RS256","crit":["exp"]})") + "." + to_base64url("{}") + ".AA"),
      HasSubstr("critical"));
  EXPECT_THAT(refusal(std::string(kMostTokenBytes + 1, 'a')), HasSubstr("bytes"));
}

TEST(Jwt, KeysForOtherUsesAreLeftOutAndBadSetsRefused) {
  EXPECT_TRUE(read_jwks(R"({"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","use":"enc","n":"AQ",
                            "e":"AQ"},{"kty":"RSA","n":"!","e":"AQ"}]})")
                  .empty());
  EXPECT_THROW((void)read_jwks("{}"), base::Error);
  EXPECT_THROW((void)read_jwks(R"({"keys":[1]})"), base::Error);
  std::string many = R"({"keys":[)";
  for (std::size_t i = 0; i <= kMostKeys; ++i) many += i == 0 ? "{}" : ",{}";
  EXPECT_THROW((void)read_jwks(many + "]}"), base::Error);
}

}  // namespace
}  // namespace andon::trust
