// SPDX-License-Identifier: Apache-2.0
#include "control/identity/enrolment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using namespace std::chrono_literals;

class EnrolmentTest : public testing::Test, public ControlFixture {
 protected:
  Enrolment& enrolment() { return control().enrolment; }
  static std::string csr(const std::string& key) { return trust::make_csr(key, "whatever"); }

  template <typename Act>
  static ErrorCode code(Act act) {
    try {
      act();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }
};

TEST_F(EnrolmentTest, ATokenGivesACertificateWithTheThingsName) {
  const EnrolmentToken token = enrolment().issue_token("dev1", 1h);
  EXPECT_TRUE(control().things.find("dev1"));
  const EnrolledDevice device = enrolment().enrol(token.secret, csr(trust::make_private_key()));
  EXPECT_EQ(device.thing, "dev1");
  EXPECT_EQ(trust::describe_certificate(device.certificate_pem).common_name, "dev1");
  EXPECT_TRUE(
      trust::is_signed_by(device.certificate_pem, authority().certificate_pem, clock().now()));
  EXPECT_EQ(control().rights.authenticate(device.certificate_pem), "dev1");
}

TEST_F(EnrolmentTest, ATokenGivesOneCertificateAndForAMinuteTheSameAgain) {
  const EnrolmentToken token = enrolment().issue_token("dev1", 1h);
  const std::string key = trust::make_private_key();
  const EnrolledDevice first = enrolment().enrol(token.secret, csr(key));
  const auto again = [&](const std::string& with) {
    return code([&] { (void)enrolment().enrol(token.secret, csr(with)); });
  };
  clock().advance(30s);
  EXPECT_EQ(enrolment().enrol(token.secret, csr(key)).certificate_pem, first.certificate_pem);
  EXPECT_EQ(again(trust::make_private_key()), ErrorCode::permission_denied);
  clock().advance(31s);
  EXPECT_EQ(again(key), ErrorCode::permission_denied);
  EXPECT_EQ(control().certificates.list_of("dev1", {}).items.size(), 1U);
}

TEST_F(EnrolmentTest, ARevokedDeviceNeedsANewToken) {
  const EnrolmentToken token = enrolment().issue_token("dev1", 1h);
  const std::string key = trust::make_private_key();
  (void)enrolment().enrol(token.secret, csr(key));
  control().certificates.set_status(control().certificates.list_of("dev1", {}).items.front().id,
                                    CertificateStatus::revoked);
  EXPECT_EQ(code([&] { (void)enrolment().enrol(token.secret, csr(key)); }),
            ErrorCode::permission_denied);
  const EnrolmentToken fresh = enrolment().issue_token("dev1", 1h);
  EXPECT_EQ(enrolment().enrol(fresh.secret, csr(key)).thing, "dev1");
}

TEST_F(EnrolmentTest, ABadSecretAndABadCsrAreRefused) {
  const EnrolmentToken token = enrolment().issue_token("dev1", 1h);
  EXPECT_EQ(code([&] { (void)enrolment().enrol("guess", csr(trust::make_private_key())); }),
            ErrorCode::permission_denied);
  EXPECT_EQ(code([&] { (void)enrolment().enrol(token.secret, "not a CSR"); }),
            ErrorCode::invalid_argument);
}

TEST_F(EnrolmentTest, TokensAreNotMadeForTheServersNamesNorForEver) {
  EXPECT_EQ(code([&] { (void)enrolment().issue_token("andon-server", 1h); }),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code([&] { (void)enrolment().issue_token("dev1", 59s); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code([&] { (void)enrolment().issue_token("dev1", std::chrono::days(31)); }),
            ErrorCode::invalid_argument);
}

TEST_F(EnrolmentTest, ACertificateIsGoodForAsLongAsTheServerWasTold) {
  EXPECT_EQ(trust::describe_certificate(enrol("dev1")).not_after,
            clock().now() - 1h + std::chrono::days(90));
  ControlPlane other(database(), objects(), clock(), notifier(), authority(), Arns(),
                     std::chrono::days(7));
  const EnrolmentToken token = other.enrolment.issue_token("dev2", 1h);
  const EnrolledDevice device = other.enrolment.enrol(token.secret, csr(trust::make_private_key()));
  EXPECT_EQ(trust::describe_certificate(device.certificate_pem).not_after,
            clock().now() - 1h + std::chrono::days(7));
}

}  // namespace
}  // namespace andon::control
