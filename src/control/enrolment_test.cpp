// SPDX-License-Identifier: Apache-2.0
#include "control/enrolment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "control/control_fixture.hpp"

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
  EXPECT_EQ(enrolment().authenticate(device.certificate_pem), "dev1");
}

TEST_F(EnrolmentTest, ATokenServesOneKeyButThatOneAgain) {
  const EnrolmentToken token = enrolment().issue_token("dev1", 1h);
  const std::string key = trust::make_private_key();
  (void)enrolment().enrol(token.secret, csr(key));
  const EnrolledDevice again = enrolment().enrol(token.secret, csr(key));
  EXPECT_EQ(enrolment().authenticate(again.certificate_pem), "dev1");
  EXPECT_EQ(code([&] { (void)enrolment().enrol(token.secret, csr(trust::make_private_key())); }),
            ErrorCode::permission_denied);
  clock().advance(1h + 1s);
  EXPECT_EQ(code([&] { (void)enrolment().enrol(token.secret, csr(key)); }),
            ErrorCode::permission_denied);
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

TEST_F(EnrolmentTest, OnlyARegisteredActiveCertificateIsTheThings) {
  const EnrolmentToken token = enrolment().issue_token("dev1", 1h);
  const EnrolledDevice device = enrolment().enrol(token.secret, csr(trust::make_private_key()));
  const std::string id = trust::describe_certificate(device.certificate_pem).fingerprint;
  const auto authenticate = [&] { (void)enrolment().authenticate(device.certificate_pem); };

  enrolment().set_status(id, CertificateStatus::inactive);
  EXPECT_EQ(code(authenticate), ErrorCode::permission_denied);
  enrolment().set_status(id, CertificateStatus::active);
  EXPECT_EQ(code(authenticate), ErrorCode::internal);  // nothing thrown
  enrolment().set_status(id, CertificateStatus::revoked);
  EXPECT_EQ(code(authenticate), ErrorCode::permission_denied);
  EXPECT_EQ(code([&] { enrolment().set_status(id, CertificateStatus::active); }),
            ErrorCode::conflict);

  // Signed by the same authority, but never registered.
  trust::CertificateRequest request;
  request.common_name = "dev1";
  request.not_before = clock().now();
  const std::string stranger =
      trust::sign_csr(authority(), csr(trust::make_private_key()), request);
  EXPECT_EQ(code([&] { (void)enrolment().authenticate(stranger); }), ErrorCode::permission_denied);
}

TEST_F(EnrolmentTest, ADeletedThingsCertificateIsNoGoodAnyMore) {
  const EnrolmentToken token = enrolment().issue_token("dev1", 1h);
  const EnrolledDevice device = enrolment().enrol(token.secret, csr(trust::make_private_key()));
  control().things.remove("dev1");
  control().things.create("dev1", {});
  EXPECT_EQ(code([&] { (void)enrolment().authenticate(device.certificate_pem); }),
            ErrorCode::permission_denied);
}

}  // namespace
}  // namespace andon::control
