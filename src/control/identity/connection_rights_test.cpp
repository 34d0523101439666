// SPDX-License-Identifier: Apache-2.0
#include "control/identity/connection_rights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class ConnectionRightsTest : public testing::Test, public ControlFixture {
 protected:
  ConnectionRightsTest() : pem_(enrol("dev1")), id_(trust::describe_certificate(pem_).fingerprint) {
    (void)rights().take_changes(100);
  }
  ConnectionRights& rights() { return control().rights; }
  void set(CertificateStatus status) { control().certificates.set_status(id_, status); }

  std::string pem_;
  std::string id_;
};

TEST_F(ConnectionRightsTest, OnlyARegisteredActiveAttachedCertificateThatIsNotOverMay) {
  EXPECT_EQ(rights().may(id_).thing, "dev1");
  EXPECT_TRUE(rights().may_thing("dev1"));
  const auto refused = [&](const char* why) {
    EXPECT_FALSE(rights().may(id_).may);
    EXPECT_THAT(rights().may(id_).why, HasSubstr(why));
    EXPECT_FALSE(rights().may_thing("dev1"));
    EXPECT_THROW((void)rights().authenticate(pem_), base::Error);
  };
  set(CertificateStatus::inactive);
  refused("INACTIVE");
  set(CertificateStatus::active);
  EXPECT_EQ(rights().authenticate(pem_), "dev1");
  control().certificates.detach(id_, "dev1");
  refused("no thing");
  control().certificates.attach(id_, "dev1");
  clock().advance(std::chrono::days(90));
  refused("renewal");
  set(CertificateStatus::revoked);
  refused("new token");
  control().certificates.detach(id_, "dev1");
  control().certificates.remove(id_);
  refused("not registered");
  EXPECT_FALSE(rights().may_thing("none"));
}

TEST_F(ConnectionRightsTest, OneThatTheServerSignedAndDidNotRegisterMayNot) {
  const std::string stranger = trust::sign_csr(
      authority(), trust::make_csr(trust::make_private_key(), "dev1"),
      {.common_name = "dev1", .not_before = clock().now(), .lifetime = std::chrono::days(1)});
  EXPECT_THROW((void)rights().authenticate(stranger), base::Error);
}

TEST_F(ConnectionRightsTest, EveryChangeOfACertificateOrAThingIsNoted) {
  const std::string other = trust::describe_certificate(enrol("dev2")).fingerprint;
  auto changes = rights().take_changes(100);
  ASSERT_EQ(changes.certificates.size(), 1U);
  EXPECT_EQ(changes.certificates[0].id, other);
  EXPECT_TRUE(changes.certificates[0].may);
  ASSERT_EQ(changes.things.size(), 1U);
  EXPECT_TRUE(changes.things[0].exists);
  EXPECT_TRUE(rights().take_changes(100).certificates.empty());

  const auto refused = [&] {
    const auto one = rights().take_changes(100);
    return one.certificates.size() == 1 && one.certificates[0].id == id_ &&
           !one.certificates[0].may && one.things.empty();
  };
  set(CertificateStatus::inactive);
  EXPECT_TRUE(refused());
  EXPECT_EQ(rights().read_all().certificates.size(), 1U);
  control().certificates.detach(id_, "dev1");
  EXPECT_TRUE(refused());
  control().certificates.remove(id_);
  EXPECT_TRUE(refused());
  control().things.remove("dev1");
  changes = rights().take_changes(100);
  ASSERT_EQ(changes.things.size(), 1U);
  EXPECT_FALSE(changes.things[0].exists);
}

TEST_F(ConnectionRightsTest, TheEndOfACertificateIsAChange) {
  clock().advance(std::chrono::days(90) - 1h - 1s);
  EXPECT_TRUE(rights().take_changes(100).certificates.empty());
  clock().advance(1s);
  const auto ended = rights().take_changes(100);
  ASSERT_EQ(ended.certificates.size(), 1U);
  EXPECT_FALSE(ended.certificates[0].may);
  EXPECT_TRUE(rights().take_changes(100).certificates.empty());
  EXPECT_TRUE(rights().read_all().certificates.empty());
  clock().advance(-2s);  // the clock was put right
  const auto again = rights().take_changes(100);
  ASSERT_EQ(again.certificates.size(), 1U);
  EXPECT_TRUE(again.certificates[0].may);
}

}  // namespace
}  // namespace andon::control
