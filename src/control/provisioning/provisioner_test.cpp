// SPDX-License-Identifier: Apache-2.0
#include "control/provisioning/provisioner.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kBody = R"({
  "Parameters": {"SerialNumber": {"Type": "String"},
                 "AWS::IoT::Certificate::Id": {"Type": "String"}},
  "Resources": {
    "thing": {"Type": "AWS::IoT::Thing", "Properties": {
      "ThingName": {"Fn::Join": ["", ["cam-", {"Ref": "SerialNumber"}]]}, "ThingGroups": ["G"]}},
    "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
      "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}}}})";

class ProvisionerTest : public testing::Test, public ControlFixture {
 protected:
  ProvisionerTest() {
    control().things.create_group("G", "", "", {});
    control().provisioning_templates.create(wanted());
  }

  static ProvisioningTemplate wanted(const std::string& hook = "") {
    return {.name = "line",
            .arn = {},
            .description = {},
            .is_enabled = true,
            .role_arn = "arn:aws:iam::000000000000:role/p",
            .hook = {hook, "2020-04-01"},
            .body = kBody,
            .created = {},
            .updated = {}};
  }

  ProvisionedDevice provision(const std::string& token, const std::string& serial,
                              const AskHook& hook = {}) {
    return control().provisioner.provision({.template_name = "line",
                                            .ownership_token = token,
                                            .parameters = {{"SerialNumber", serial}},
                                            .client_id = "c",
                                            .claim = "claim"},
                                           hook);
  }

  static ErrorCode code_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }
};

TEST_F(ProvisionerTest, ACertificateOpensNothingUntilItsDeviceHasItsPlace) {
  const OfferedCertificate offered = control().provisioner.offer_keys();
  EXPECT_FALSE(control().rights.may(offered.id).may);
  EXPECT_EQ(provision(offered.ownership_token, "1").thing, "cam-1");
  EXPECT_EQ(control().rights.may(offered.id).thing, "cam-1");
  EXPECT_EQ(control().things.list_groups_of("cam-1", {}).items, std::vector<std::string>{"G"});
}

TEST_F(ProvisionerTest, WhoLostTheAnswerGetsTheSameAgainAlsoAfterACrash) {
  const OfferedCertificate offered = control().provisioner.offer_keys();
  (void)provision(offered.ownership_token, "1");
  restart();
  const ProvisionedDevice again = provision(offered.ownership_token, "2");
  EXPECT_EQ(again.thing, "cam-1");
  EXPECT_EQ(again.certificate_pem, offered.pem);
  EXPECT_FALSE(control().things.find("cam-2"));
}

TEST_F(ProvisionerTest, ATokenThatIsUnknownOrOverIsRefused) {
  EXPECT_EQ(code_of([&] { (void)provision("x", "1"); }), ErrorCode::permission_denied);
  const OfferedCertificate offered = control().provisioner.offer_keys();
  clock().advance(Provisioner::kTokenLifetime + std::chrono::seconds(1));
  EXPECT_EQ(code_of([&] { (void)provision(offered.ownership_token, "1"); }),
            ErrorCode::permission_denied);
  EXPECT_EQ(control().provisioner.remove_expired(10), 1);
  EXPECT_FALSE(control().certificates.find(offered.id));
}

TEST_F(ProvisionerTest, AClaimAloneTakesNoDeviceOver) {
  const OfferedCertificate first = control().provisioner.offer_keys();
  (void)provision(first.ownership_token, "1");
  const OfferedCertificate second = control().provisioner.offer_keys();
  EXPECT_EQ(code_of([&] { (void)provision(second.ownership_token, "1"); }),
            ErrorCode::failed_precondition);
  EXPECT_FALSE(control().rights.may(second.id).may);
  control().certificates.set_status(first.id, CertificateStatus::revoked);
  EXPECT_EQ(provision(second.ownership_token, "1").thing, "cam-1");
}

TEST_F(ProvisionerTest, ADeviceThatWasOffForLongIsNotTakenOverByAClaimEither) {
  const OfferedCertificate first = control().provisioner.offer_keys();
  (void)provision(first.ownership_token, "1");
  clock().advance(std::chrono::days(400));
  EXPECT_FALSE(control().rights.may(first.id).may);
  const OfferedCertificate second = control().provisioner.offer_keys();
  EXPECT_EQ(code_of([&] { (void)provision(second.ownership_token, "1"); }),
            ErrorCode::failed_precondition);
}

TEST_F(ProvisionerTest, WhoIsRefusedLeavesNoPolicyBehind) {
  constexpr const char* kWithPolicy = R"({
    "Parameters": {"SerialNumber": {"Type": "String"}, "Topic": {"Type": "String", "Default": "t"},
                   "AWS::IoT::Certificate::Id": {"Type": "String"}},
    "Resources": {
      "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "SerialNumber"}}},
      "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
        "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
      "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyDocument": {
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Publish",
        "Resource": {"Fn::Join": ["", ["arn:aws:iot:us-east-1:000000000000:topic/",
                                       {"Ref": "Topic"}]]}}]}}}}})";
  ProvisioningTemplate with_policy = wanted();
  with_policy.name = "policy";
  with_policy.body = kWithPolicy;
  control().provisioning_templates.create(with_policy);
  const auto ask = [&](const std::string& token, const std::string& topic) {
    return control().provisioner.provision({.template_name = "policy",
                                            .ownership_token = token,
                                            .parameters = {{"SerialNumber", "1"}, {"Topic", topic}},
                                            .client_id = "c",
                                            .claim = "claim"},
                                           {});
  };
  const auto policies = [&] {
    return control().iot_policies.list(IotPolicies::Order::ascending, {}).items.size();
  };
  (void)ask(control().provisioner.offer_keys().ownership_token, "a");
  EXPECT_EQ(policies(), 1U);
  const std::string token = control().provisioner.offer_keys().ownership_token;
  for (const char* topic : {"b", "c", "d"}) {  // the thing has a certificate already
    EXPECT_EQ(code_of([&] { (void)ask(token, topic); }), ErrorCode::failed_precondition);
  }
  EXPECT_EQ(policies(), 1U);
}

TEST_F(ProvisionerTest, CertificatesThatNobodyTakesMakeRoomForThoseWhoComeAfter) {
  const auto fill = [&](std::int64_t count) {
    database().write([&](store::Transaction& tx) {
      for (std::int64_t i = 0; i < count; ++i) {
        const std::string name = "old-" + std::to_string(i);
        tx.execute(
            "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms, replaces) "
            "VALUES ($1, NULL, $1, 'INACTIVE', 0, 0, NULL)",
            {name});
        tx.execute(
            "INSERT INTO certificate_owners (token_sha256, certificate, expires_ms, template, "
            "answer) VALUES ($1, $1, $2, '', '')",
            {name, base::to_epoch_millis(clock().now() + Provisioner::kTokenLifetime)});
      }
    });
  };
  fill(Provisioner::kMostOffered);
  EXPECT_EQ(code_of([&] { (void)control().provisioner.offer_keys(); }),
            ErrorCode::resource_exhausted);
  clock().advance(Provisioner::kTakenWithin + std::chrono::seconds(1));
  const OfferedCertificate offered = control().provisioner.offer_keys();
  EXPECT_EQ(provision(offered.ownership_token, "1").thing, "cam-1");
  const auto left = database().read([](store::Transaction& tx) {
    return tx.query_one("SELECT count(*) FROM certificates WHERE id LIKE 'old-%'")->integer(0);
  });
  EXPECT_EQ(left, Provisioner::kMostOffered - 1);
}

TEST_F(ProvisionerTest, AHookDecidesAndWhatItSaysCounts) {
  control().provisioning_templates.update("line", {.hook = ProvisioningHook{"f", "2020-04-01"}});
  const OfferedCertificate offered = control().provisioner.offer_keys();
  const auto says = [](bool may) {
    return [may](const HookQuestion& question) {
      EXPECT_EQ(question.function_arn, "f");
      EXPECT_TRUE(question.event.contains("certificatePem"));
      return HookVerdict{.may = may, .overrides = {{"SerialNumber", "9"}}};
    };
  };
  EXPECT_EQ(code_of([&] { (void)provision(offered.ownership_token, "1", says(false)); }),
            ErrorCode::permission_denied);
  EXPECT_EQ(provision(offered.ownership_token, "1", says(true)).thing, "cam-9");
  // A hook may let a device that has a certificate have another.
  const OfferedCertificate other = control().provisioner.offer_keys();
  EXPECT_EQ(provision(other.ownership_token, "1", says(true)).thing, "cam-9");
}

TEST_F(ProvisionerTest, AClaimIsOverAfterFiveMinutesAndTheBrokerHearsOfIt) {
  const ProvisioningClaim claim = control().provisioner.make_claim("line");
  EXPECT_EQ(control().provisioner.template_of_claim(claim.certificate_id), "line");
  const auto at_broker = control().rights.at_broker(claim.certificate_id);
  ASSERT_TRUE(at_broker);
  EXPECT_EQ(at_broker->claim, "line");
  EXPECT_TRUE(at_broker->may);
  EXPECT_FALSE(control().rights.may(claim.certificate_id).may);  // it is no device
  (void)control().rights.take_changes(100);
  clock().advance(Provisioner::kClaimLifetime + std::chrono::seconds(1));
  const auto changes = control().rights.take_changes(100);
  ASSERT_EQ(changes.certificates.size(), 1U);
  EXPECT_FALSE(changes.certificates.front().may);
  EXPECT_EQ(control().provisioner.remove_expired(10), 1);
}

}  // namespace
}  // namespace andon::control
