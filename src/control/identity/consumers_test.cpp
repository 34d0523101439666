// SPDX-License-Identifier: Apache-2.0
#include "control/identity/consumers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"
#include "trust/keys/user_credential.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConsumersTest : public testing::Test, public ControlFixture {
 protected:
  ConsumersTest() {
    (void)control().iot_policies.create(
        "Read",
        R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}})");
  }
  Consumers& consumers() { return control().consumers; }
  std::string refusal(const std::string& name, const std::vector<std::string>& policies) {
    try {
      (void)consumers().add(name, ConsumerKind::user, policies);
    } catch (const base::Error& error) {
      return error.message();
    }
    return "it was taken";
  }
};

TEST_F(ConsumersTest, HaveACertificateOfTheirOwnWithTheirPolicy) {
  const NewConsumer made = consumers().add("plc", ConsumerKind::certificate, {"Read"});
  EXPECT_TRUE(trust::is_key_of(made.private_key_pem, made.certificate_pem));
  const auto holder = control().rights.at_broker(made.consumer.credential);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->name, "plc");
  EXPECT_THAT(holder->policies, ElementsAre("Read"));
  EXPECT_EQ(made.consumer.principal, control().arns.certificate(made.consumer.credential));
  clock().advance(std::chrono::days(365 * 5));
  EXPECT_TRUE(control().rights.at_broker(made.consumer.credential)) << "nobody renews it";
  consumers().remove("plc");
  EXPECT_FALSE(control().rights.at_broker(made.consumer.credential));
  EXPECT_FALSE(control().certificates.find(made.consumer.credential));
}

TEST_F(ConsumersTest, OrAPasswordThatIsNotStored) {
  EXPECT_FALSE(consumers().has_users());
  const NewConsumer made = consumers().add("scada", ConsumerKind::user, {"Read"});
  EXPECT_TRUE(consumers().has_users());
  EXPECT_EQ(made.password.size(), 32U);
  EXPECT_EQ(made.consumer.credential, trust::user_credential("scada", made.password));
  EXPECT_NE(made.consumer.credential, trust::user_credential("scad", "a" + made.password));
  const auto holder = control().rights.at_broker(made.consumer.credential);
  ASSERT_TRUE(holder);
  EXPECT_THAT(holder->policies, ElementsAre("Read"));
  EXPECT_EQ(made.consumer.principal, "arn:aws:iot:us-east-1:000000000000:consumer/scada");
  (void)control().rights.take_changes(100);
  consumers().remove("scada");
  const auto changes = control().rights.take_changes(100);
  ASSERT_EQ(changes.certificates.size(), 1U);
  EXPECT_EQ(changes.certificates[0].id, made.consumer.credential);
  EXPECT_FALSE(changes.certificates[0].may);
  EXPECT_FALSE(consumers().has_users());
  control().iot_policies.remove("Read");  // it is attached to nobody any more
}

TEST_F(ConsumersTest, WhatIsWrongIsSaidAndNothingIsMade) {
  EXPECT_THAT(refusal("a b", {"Read"}), HasSubstr("consumerName"));
  EXPECT_THAT(refusal("andon-server", {"Read"}), HasSubstr("server's own"));
  EXPECT_THAT(refusal("x", {"None"}), HasSubstr("there is no policy"));
  EXPECT_TRUE(consumers().list({}).items.empty());
  EXPECT_EQ(refusal("x", {"Read"}), "it was taken");
  EXPECT_THAT(refusal("x", {"Read"}), HasSubstr("already"));
  EXPECT_THROW(consumers().remove("none"), base::Error);
}

}  // namespace
}  // namespace andon::control
