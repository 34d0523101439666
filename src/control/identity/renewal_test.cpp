// SPDX-License-Identifier: Apache-2.0
#include "control/identity/renewal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::days;
using enum Renewal::Proof;

class RenewalTest : public testing::Test, public ControlFixture {
 protected:
  RenewalTest() : pem_(enrol("dev1", key_)) {}

  Certificate renew(const std::string& pem) { return renew(pem, key_, by_request); }
  Certificate renew(const std::string& pem, const std::string& key, Renewal::Proof proof) {
    return control().renewal.renew(pem, trust::make_csr(key, "dev2"), proof);
  }
  ErrorCode refusal(const std::string& pem) { return refusal(pem, key_, by_request); }
  ErrorCode refusal(const std::string& pem, const std::string& key, Renewal::Proof proof) {
    try {
      (void)renew(pem, key, proof);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }
  static std::string id_of(const std::string& pem) {
    return trust::describe_certificate(pem).fingerprint;
  }
  void forget(const std::string& id) {
    database().write([&](store::Transaction& tx) {
      tx.execute("DELETE FROM certificates WHERE id = $1", {id});
    });
  }
  std::size_t count() { return control().certificates.list_of("dev1", {}).items.size(); }

  std::string key_ = trust::make_private_key();
  std::string pem_;
};

TEST_F(RenewalTest, GivesANewCertificateForTheSameThingWhateverTheCsrSays) {
  clock().advance(days(60));
  const Certificate renewed = renew(pem_);
  EXPECT_EQ(control().rights.authenticate(renewed.pem), "dev1");
  EXPECT_EQ(control().rights.authenticate(pem_), "dev1") << "until the device uses the new one";
  EXPECT_EQ(trust::describe_certificate(renewed.pem).common_name, "dev1");
  EXPECT_TRUE(trust::is_key_of(key_, renewed.pem));
  EXPECT_GT(renewed.not_after, clock().now() + days(89));
}

TEST_F(RenewalTest, ADeviceThatLostTheAnswerGetsTheSameAgain) {
  const Certificate renewed = renew(pem_);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(renew(pem_).id, renewed.id);
  EXPECT_EQ(count(), 2U);
}

TEST_F(RenewalTest, OfALineOfRenewalsTwoAreKept) {
  std::string pem = pem_;
  for (int i = 0; i < 20; ++i) pem = renew(pem).pem;
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ(refusal(pem_), ErrorCode::permission_denied);
  EXPECT_FALSE(control().rights.may(id_of(pem_)).may);
}

TEST_F(RenewalTest, OneThatRanOutIsRenewedForAYearWithItsOwnKeyOnly) {
  const std::string other = trust::make_private_key();
  clock().advance(days(90));
  EXPECT_EQ(refusal(pem_, other, by_connection), ErrorCode::permission_denied);
  const Certificate renewed = renew(pem_);
  EXPECT_EQ(control().rights.authenticate(renewed.pem), "dev1");
  EXPECT_FALSE(control().rights.may(id_of(pem_)).may);
  clock().advance(days(364));
  EXPECT_NE(renew(pem_).id, renewed.id) << "that one has ended meanwhile, too";
  clock().advance(days(2));
  EXPECT_EQ(refusal(pem_), ErrorCode::permission_denied);
}

TEST_F(RenewalTest, AnotherKeyComesOnlyByAConnectionOfTheOldOne) {
  const std::string other = trust::make_private_key();
  EXPECT_EQ(refusal(pem_, other, by_request), ErrorCode::permission_denied);
  const Certificate renewed = renew(pem_, other, by_connection);
  EXPECT_TRUE(trust::is_key_of(other, renewed.pem));
  // The device lost that key before it was on the disk: the certificate goes with it.
  const Certificate again = renew(pem_, trust::make_private_key(), by_connection);
  EXPECT_FALSE(control().rights.may(renewed.id).may);
  EXPECT_TRUE(control().rights.may(again.id).may);
  EXPECT_EQ(count(), 2U);
}

TEST_F(RenewalTest, WhoIsShutOutByOneCertificateIsNotLetInByItsRenewal) {
  const Certificate renewed = renew(pem_);
  for (const std::string& told : {id_of(pem_), renewed.id}) {
    control().certificates.set_status(told, CertificateStatus::inactive);
    EXPECT_FALSE(control().rights.may_thing("dev1")) << told;
    EXPECT_EQ(refusal(pem_), ErrorCode::permission_denied);
    EXPECT_EQ(refusal(renewed.pem), ErrorCode::permission_denied);
    control().certificates.set_status(told, CertificateStatus::active);
    control().certificates.detach(told, "dev1");
    EXPECT_FALSE(control().rights.may_thing("dev1")) << told;
    EXPECT_EQ(refusal(renewed.pem), ErrorCode::permission_denied);
    control().certificates.attach(told, "dev1");
    EXPECT_TRUE(control().rights.may(renewed.id).may);
  }
  control().certificates.set_status(id_of(pem_), CertificateStatus::revoked);
  EXPECT_EQ(refusal(pem_), ErrorCode::permission_denied);
  EXPECT_EQ(refusal(renewed.pem), ErrorCode::permission_denied);
  EXPECT_FALSE(control().rights.may_thing("dev1"));
}

// The row is gone as it is after a restore: the backup was made before the renewal.
TEST_F(RenewalTest, WhatWasRenewedAfterTheBackupOpensItsOwnRenewalAndNothingElse) {
  clock().advance(days(60));
  const Certificate lost = renew(pem_);
  forget(lost.id);
  EXPECT_FALSE(control().rights.may(lost.id).may);
  EXPECT_EQ(refusal(lost.pem, trust::make_private_key(), by_connection),
            ErrorCode::permission_denied);
  clock().advance(days(1));
  const Certificate again = renew(lost.pem);
  EXPECT_NE(again.id, lost.id);
  EXPECT_EQ(control().rights.authenticate(again.pem), "dev1");
  EXPECT_FALSE(control().rights.may(lost.id).may);
  EXPECT_EQ(renew(lost.pem).id, again.id) << "whoever lost the answer gets the same";
  EXPECT_EQ(count(), 2U);
}

TEST_F(RenewalTest, WhatWasRenewedAfterTheBackupIsRenewedOnlyWhereTheOneBeforeWouldBe) {
  clock().advance(days(30));
  const Certificate lost = renew(pem_);
  forget(lost.id);
  control().certificates.set_status(id_of(pem_), CertificateStatus::inactive);
  EXPECT_EQ(refusal(lost.pem), ErrorCode::permission_denied);
  control().certificates.set_status(id_of(pem_), CertificateStatus::active);
  control().certificates.detach(id_of(pem_), "dev1");
  EXPECT_EQ(refusal(lost.pem), ErrorCode::permission_denied);
  control().certificates.attach(id_of(pem_), "dev1");
  control().certificates.set_status(id_of(pem_), CertificateStatus::revoked);
  EXPECT_EQ(refusal(lost.pem), ErrorCode::permission_denied);
  const std::string other = trust::make_private_key();
  const std::string enrolled_anew = enrol("dev1", other);
  EXPECT_EQ(refusal(lost.pem), ErrorCode::permission_denied) << "of a key that was revoked";
}

// It may renew by the one that is good anyway, whose key it has.
TEST_F(RenewalTest, WhatWasRenewedAfterTheBackupFindsTheOneThatIsGoodBesideARevokedOne) {
  clock().advance(days(1));
  const std::string enrolled_anew = enrol("dev1", key_);
  control().certificates.set_status(id_of(enrolled_anew), CertificateStatus::revoked);
  clock().advance(days(59));
  const Certificate lost = renew(pem_);
  forget(lost.id);
  EXPECT_EQ(control().rights.authenticate(renew(lost.pem).pem), "dev1");
}

TEST_F(RenewalTest, WhatIsNotInTheRegistryIsNotRenewed) {
  const auto sign = [&](const std::string& key, base::Timestamp from) {
    return trust::sign_csr(authority(), trust::make_csr(key, "dev1"),
                           {.common_name = "dev1", .not_before = from, .lifetime = days(1)});
  };
  const std::string other = trust::make_private_key();
  EXPECT_EQ(refusal(sign(other, clock().now()), other, by_request), ErrorCode::permission_denied);
  EXPECT_EQ(refusal(sign(key_, clock().now() - days(1))), ErrorCode::permission_denied)
      << "older than what is known of the key: it was forgotten on purpose";
  const auto another_ca =
      trust::make_certificate_authority("test CA", clock().now(), std::chrono::days(3650));
  EXPECT_EQ(
      refusal(trust::sign_csr(
          another_ca, trust::make_csr(key_, "dev1"),
          {.common_name = "dev1", .not_before = clock().now() + days(1), .lifetime = days(1)})),
      ErrorCode::permission_denied);
  EXPECT_EQ(refusal(authority().certificate_pem, authority().private_key_pem, by_request),
            ErrorCode::permission_denied);
  EXPECT_EQ(refusal("junk"), ErrorCode::invalid_argument);
  std::string forged = trust::make_csr(key_, "dev1");
  forged[100] = forged[100] == 'A' ? 'B' : 'A';
  EXPECT_THROW((void)control().renewal.renew(pem_, forged, by_request), Error);
  EXPECT_EQ(count(), 1U);
}

}  // namespace
}  // namespace andon::control
