// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::trust {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;

const base::Timestamp kNow = base::parse_iso8601("2026-11-22T10:00:00Z").value();

class Certificates : public testing::Test {
 protected:
  [[nodiscard]] std::string sign(const CertificateRequest& request) const {
    return sign_csr(authority_, make_csr(key_, "whatever the device wrote"), request);
  }
  [[nodiscard]] CertificateRequest client(const std::string& name) const {
    return {.common_name = name, .not_before = kNow, .lifetime = days{30}};
  }

  CertificateAuthority authority_ = make_certificate_authority("andon test CA", kNow, days{3650});
  std::string key_ = make_private_key();
};

template <typename Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument) << error.message();
    return error.message();
  }
  return "it was accepted";
}

TEST_F(Certificates, HaveTheNameAskedForAndNotTheOneInTheCsr) {
  const CertificateInfo info = describe_certificate(sign(client("line-1")));
  EXPECT_EQ(info.common_name, "line-1");
  EXPECT_EQ(info.not_before, kNow);
  EXPECT_EQ(info.not_after, kNow + days{30});
  EXPECT_EQ(info.fingerprint.size(), 64U);
  EXPECT_GE(info.serial_hex.size(), 24U);
}

TEST_F(Certificates, MayHaveNamesAsLongAsThingNames) {
  const std::string name(128, 'n');
  const std::string certificate = sign(client(name));
  EXPECT_EQ(describe_certificate(certificate).common_name, name);
  EXPECT_TRUE(is_signed_by(certificate, authority_.certificate_pem, kNow));
  EXPECT_THAT(refusal([&] { return sign(client(std::string(129, 'n'))); }), HasSubstr("1 to 128"));
  EXPECT_THAT(refusal([&] { return sign(client("")); }), HasSubstr("1 to 128"));
  EXPECT_THAT(refusal([&] { return sign(client(std::string("a\0b", 3))); }), HasSubstr("zero"));
}

TEST_F(Certificates, AreValidOnlyForTheirAuthorityAndTime) {
  const std::string certificate = sign(client("line-1"));
  const std::string& authority = authority_.certificate_pem;
  EXPECT_TRUE(is_signed_by(certificate, authority, kNow));
  EXPECT_TRUE(is_signed_by(certificate, authority, kNow + days{29}));
  EXPECT_FALSE(is_signed_by(certificate, authority, kNow - days{1}));
  EXPECT_FALSE(is_signed_by(certificate, authority, kNow + days{31}));
  const auto other = make_certificate_authority("andon test CA", kNow, days{3650});
  EXPECT_FALSE(is_signed_by(certificate, other.certificate_pem, kNow));
}

TEST_F(Certificates, CannotSignOtherCertificates) {
  const std::string certificate = sign(client("line-1"));
  const std::string forged = sign_csr({certificate, key_}, make_csr(key_, "x"), client("line-2"));
  EXPECT_FALSE(is_signed_by(forged, authority_.certificate_pem, kNow));
  EXPECT_FALSE(is_signed_by(forged, certificate, kNow));
}

TEST_F(Certificates, NeverOutliveTheirAuthority) {
  CertificateRequest request = client("line-1");
  request.lifetime = days{36500};
  EXPECT_EQ(describe_certificate(sign(request)).not_after, kNow + days{3650});
}

TEST_F(Certificates, OfServersCarryHostNamesAndAddresses) {
  CertificateRequest request = client("andon-server");
  request.use = CertificateUse::server;
  request.dns_names = {"localhost", "plant.example"};
  request.ip_addresses = {"127.0.0.1", "::1"};
  const CertificateInfo info = describe_certificate(sign(request));
  EXPECT_THAT(info.dns_names, ElementsAre("localhost", "plant.example"));
  EXPECT_THAT(info.ip_addresses, ElementsAre("127.0.0.1", "::1"));

  request.dns_names = {"a,IP:10.0.0.1"};
  EXPECT_THAT(refusal([&] { return sign(request); }), HasSubstr("'a,IP:10.0.0.1'"));
  request.dns_names = {};
  request.ip_addresses = {"300.1.1.1"};
  EXPECT_THAT(refusal([&] { return sign(request); }), HasSubstr("'300.1.1.1'"));
}

TEST_F(Certificates, AreRefusedForACsrThatWasChanged) {
  const std::string csr = make_csr(key_, "line-1");
  // The last line before the end marker holds the end of the signature.
  const std::string begin = "-----BEGIN CERTIFICATE REQUEST-----\n";
  const std::string end = "-----END CERTIFICATE REQUEST-----\n";
  std::string body = csr.substr(begin.size(), csr.size() - begin.size() - end.size());
  std::erase(body, '\n');
  std::string der = base::from_base64(body).value();
  der[der.find("line-1")] = 'L';
  const std::string changed = begin + base::to_base64(der) + "\n" + end;
  EXPECT_THAT(refusal([&] { return sign_csr(authority_, changed, client("line-1")); }),
              HasSubstr("signature is wrong"));
}

TEST_F(Certificates, AreRefusedForTextThatIsNoCsr) {
  for (const std::string& text : {std::string(), std::string("hello"), authority_.certificate_pem,
                                  key_, std::string(100'000, 'x')}) {
    refusal([&] { return sign_csr(authority_, text, client("line-1")); });
    EXPECT_NE(refusal([&] { return public_key_sha256_of_csr(text); }), "it was accepted");
  }
  EXPECT_THAT(refusal([&] { return describe_certificate(key_).common_name; }),
              HasSubstr("not a certificate"));
  EXPECT_THAT(refusal([] { return make_csr("nonsense", "x"); }), HasSubstr("not a private key"));
}

TEST_F(Certificates, AreRefusedForWeakKeys) {
  const std::string weak =
      "-----BEGIN CERTIFICATE REQUEST-----\n"
      "MIIBTjCBuAIBADAPMQ0wCwYDVQQDDAR3ZWFrMIGfMA0GCSqGSIb3DQEBAQUAA4GN\n"
      "ADCBiQKBgQCz9jYq3HKTd9NEB89nuqdevNp2ucLsUao3XUgFYZnA39xeO8E9xTit\n"
      "3q6Trn7F0vDXYeIG5VNACFQ2sp2AFTl5so30wq/JwtcywPL12CsAlUSlCq5IcGmt\n"
      "CB537O1mTFlCq/fkvSEzTeTyoflIqpq10JMUErASmTMHl/YUWKWejQIDAQABoAAw\n"
      "DQYJKoZIhvcNAQELBQADgYEAXiZGGmcbRBwYyR9M7n/vWD+FEtAImDeOW7FHMOmb\n"
      "mDj2G+6X+tNPfmZH54iiSjyukK4lmUJzYersXRoktp/AFqxqInjLeOM6Z+7nYoNn\n"
      "wPMgmz9mMEUbZzcPrYNMOx7OzMDHILZrrwybWXFAjXWgZH+OrQBJgwHhVYT/E47m\n"
      "i9o=\n"
      "-----END CERTIFICATE REQUEST-----\n";
  EXPECT_THAT(refusal([&] { return sign_csr(authority_, weak, client("line-1")); }),
              HasSubstr("too weak"));
}

TEST_F(Certificates, TellWhichKeyTheyAreFor) {
  const std::string csr = make_csr(key_, "x");
  const std::string certificate = sign_csr(authority_, csr, client("line-1"));
  EXPECT_EQ(describe_certificate(certificate).public_key_sha256, public_key_sha256_of_csr(csr));
  EXPECT_NE(public_key_sha256_of_csr(make_csr(make_private_key(), "x")),
            public_key_sha256_of_csr(csr));
  EXPECT_TRUE(is_key_of(key_, certificate));
  EXPECT_FALSE(is_key_of(make_private_key(), certificate));
}

}  // namespace
}  // namespace andon::trust
