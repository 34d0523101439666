// SPDX-License-Identifier: Apache-2.0
#include "server/services/api_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::server {
namespace {

using testing::HasSubstr;

class ApiCertificateTest : public testing::Test {
 protected:
  ApiCertificateTest() { put(make("plant.example")); }

  struct Pair {
    std::string certificate, key;
  };
  Pair make(const std::string& name, std::chrono::days lifetime = std::chrono::days{30}) {
    const std::string key = trust::make_private_key();
    trust::CertificateRequest request{.common_name = "plant",
                                      .use = trust::CertificateUse::server,
                                      .not_before = clock_.now(),
                                      .lifetime = lifetime};
    if (!name.empty()) request.dns_names = {name};
    return {trust::sign_csr(authority_, trust::make_csr(key, "plant"), request), key};
  }
  void put(const Pair& pair, unsigned mode = 0600) {
    base::write_file_atomically(files_.certificate, pair.certificate);
    base::write_file_atomically(files_.key, pair.key, mode);
  }
  std::string problem() {
    try {
      (void)ApiCertificate(files_, clock_);
    } catch (const base::Error& error) {
      return error.message();
    }
    return "it was taken";
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::SystemClock().now()};
  const trust::CertificateAuthority authority_ = trust::make_certificate_authority(
      "the plant's CA", clock_.now() - std::chrono::hours{1}, std::chrono::days{400});
  CertificateFiles files_{directory_.path() / "api.crt", directory_.path() / "api.key"};
};

TEST_F(ApiCertificateTest, SaysWhatIsWrongWithItsFiles) {
  EXPECT_EQ(problem(), "it was taken");
  put(make("plant.example"), 0640);
  EXPECT_EQ(problem(), "it was taken");
  put(make("plant.example"), 0644);
  EXPECT_THAT(problem(), HasSubstr("api.key' may be read or written by others: chmod 600"));
  put(make(""));
  EXPECT_THAT(problem(), HasSubstr("api.crt' is for no name"));
  put({make("plant.example").certificate, make("plant.example").key});
  EXPECT_THAT(problem(), HasSubstr("api.key' is not the key of the certificate in"));
  put({"no PEM", "no PEM"});
  EXPECT_THAT(problem(), HasSubstr("api.crt' has no certificate that can be read"));
  put({make("plant.example").certificate, "no PEM"});
  EXPECT_THAT(problem(), HasSubstr("api.key' has no key that can be used"));
  put(make("plant.example"));
  base::fs::remove(files_.key);
  EXPECT_THAT(problem(), HasSubstr("api.key'"));
}

TEST_F(ApiCertificateTest, IsNotTakenBeforeItBeginsOrAfterItsEnd) {
  clock_.advance(std::chrono::days{31});
  EXPECT_THAT(problem(), HasSubstr("api.crt' was good until"));
  put(make("plant.example"));
  clock_.advance(-std::chrono::days{2});
  EXPECT_THAT(problem(), HasSubstr("is this machine's clock right?"));
}

TEST_F(ApiCertificateTest, IsReadAgainOnceItsFilesAreOthersThatFit) {
  ApiCertificate certificate(files_, clock_);
  EXPECT_FALSE(certificate.look_again());
  const Pair renewed = make("new.example");
  base::write_file_atomically(files_.certificate, renewed.certificate);  // its key comes later
  EXPECT_FALSE(certificate.look_again());
  EXPECT_THAT(certificate.info()->dns_names, testing::ElementsAre("plant.example"));
  put(renewed);
  ASSERT_TRUE(certificate.look_again());
  EXPECT_THAT(certificate.info()->dns_names, testing::ElementsAre("new.example"));
  EXPECT_EQ(certificate.identity()->private_key_pem, renewed.key);
  EXPECT_FALSE(certificate.look_again());
}

TEST_F(ApiCertificateTest, NeedsNoFiles) {
  ApiCertificate certificate({}, clock_);
  EXPECT_FALSE(certificate.identity());
  EXPECT_FALSE(certificate.info());
  EXPECT_FALSE(certificate.look_again());
}

}  // namespace
}  // namespace andon::server
