// SPDX-License-Identifier: Apache-2.0
#include "control/iotpolicy/iot_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kDocument =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}})";

std::string with(const std::string& statement) {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)" + statement + "}]}";
}

template <typename Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const base::Error& error) {
    return std::string(base::to_string(error.code())) + ": " + error.message();
  }
  return "it was taken";
}

class IotPoliciesTest : public testing::Test, public ControlFixture {
 protected:
  IotPolicies& policies() { return control().iot_policies; }
  using Kind = PolicyTarget::Kind;
  std::string enrolled(const std::string& thing) {
    return trust::describe_certificate(enrol(thing)).fingerprint;
  }
  const ConnectionRights::Certificate* find(const ConnectionRights::State& state,
                                            const std::string& id) {
    for (const auto& one : state.certificates) {
      if (one.id == id) return &one;
    }
    return nullptr;
  }
};

TEST_F(IotPoliciesTest, HaveVersionsOfWhichOneCounts) {
  const IotPolicy made = policies().create("P", kDocument);
  EXPECT_EQ(made.arn, "arn:aws:iot:us-east-1:000000000000:policy/P");
  const std::string other = with(R"("Action":"iot:Publish","Resource":"*")");
  EXPECT_EQ(policies().add_version("P", other, VersionStanding::is_other).version, 2);
  EXPECT_EQ(policies().require("P").document, kDocument);
  policies().set_default_version("P", 2);
  EXPECT_EQ(policies().require("P").document, other);
  EXPECT_THAT(refusal([&] { policies().remove_version("P", 2); }), HasSubstr("conflict"));
  policies().remove_version("P", 1);
  EXPECT_EQ(policies().add_version("P", kDocument, VersionStanding::is_default).version, 3)
      << "numbers are not given twice";
  EXPECT_THAT(refusal([&] { (void)policies().version("P", 1); }), HasSubstr("not_found"));
  for (int i = 0; i < 3; ++i) {
    (void)policies().add_version("P", other, VersionStanding::is_other);
  }
  EXPECT_THAT(refusal([&] { (void)policies().add_version("P", other, VersionStanding::is_other); }),
              HasSubstr("resource_exhausted"));
  EXPECT_THAT(refusal([&] { policies().remove("P"); }), HasSubstr("other versions"));
  EXPECT_THAT(refusal([&] { (void)policies().create("P", kDocument); }),
              HasSubstr("already_exists"));
}

TEST_F(IotPoliciesTest, WhatTheBrokerWouldNotUnderstandIsRefusedWithItsPlace) {
  const struct {
    std::string document;
    const char* expected;
  } rows[] = {
      {kDocument, "it was taken"},
      {with(R"("Action":["iot:Connect","greengrass:*"],"Resource":"*")"), "it was taken"},
      {with(R"("Action":"*","Resource":"*")"), "it was taken"},
      {with(R"("Action":"s3:GetObject","Resource":"*")"), "is no action of a device"},
      {with(R"("Action":"iot:Publish","Resource":"arn:aws:iot:::topic/${aws:username}")"),
       "${aws:username}"},
      {with(R"("Action":"iot:Publish","Resource":"arn:aws:iot:::topic/${iot:ClientId}/${*}")"),
       "it was taken"},
      {with(
           R"("Action":"iot:Publish","Resource":"*","Condition":{"StringEquals":{"aws:CurrentTime":"x"}})"),
       "aws:CurrentTime"},
      {with(
           R"("Action":"iot:Publish","Resource":"*","Condition":{"StringEquals":{"iot:ClientId":"${iot:Certificate.Subject.Organization.1}"}})"),
       "it was taken"},
      {with(
           R"("Action":"iot:Publish","Resource":"*","Condition":{"StringEquals":{"iot:ClientId":"${iot:Certificate.Subject.Shoe}"}})"),
       "Subject.Shoe"},
      {with(R"("Action":"iot:Publish","Resource":"*","Principal":"*")"), "Principal"},
      {with(R"("Action":"iot:Publish","Resource":"arn:aws:iot:::topic/)" + std::string(2100, 'x') +
            "\""),
       "more than 2048 bytes"},
      {"{", "policy"},
      {std::string(30'000, ' '), "policy"},
  };
  int number = 0;
  for (const auto& row : rows) {
    const std::string name = "P" + std::to_string(++number);
    EXPECT_THAT(refusal([&] { (void)policies().create(name, row.document); }),
                HasSubstr(row.expected))
        << row.document.substr(0, 200);
  }
  const std::string spread = R"({"Version":"2012-10-17",)" + std::string(5000, ' ') +
                             R"("Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}})";
  (void)policies().create("spread", spread);
  EXPECT_EQ(policies().require("spread").document, spread) << "white space does not count";
  for (const std::string& name : {std::string("a b"), std::string("a/b"), std::string(129, 'x')}) {
    EXPECT_THAT(refusal([&] { (void)policies().create(name, kDocument); }),
                HasSubstr("policyName"));
  }
}

TEST_F(IotPoliciesTest, AreAttachedToCertificatesGroupsAndConsumersAndCountWithParents) {
  const std::string id = enrolled("dev1");
  control().things.create_group("Site", "", "", {});
  control().things.create_group("Line", "Site", "", {});
  control().things.add_to_group("dev1", "Line");
  for (const char* name : {"Own", "OfLine", "OfSite"}) (void)policies().create(name, kDocument);
  const PolicyTarget certificate{Kind::certificate, id};
  policies().attach("Own", certificate);
  policies().attach("Own", certificate);
  policies().attach("OfLine", {Kind::thing_group, "Line"});
  policies().attach("OfSite", {Kind::thing_group, "Site"});
  std::vector<std::string> names;
  for (const IotPolicy& one : policies().effective(certificate.key(), "dev1")) {
    names.push_back(one.name);
  }
  EXPECT_THAT(names, ElementsAre("OfLine", "OfSite", "Own"));
  const PolicyTarget line{Kind::thing_group, "Line"};
  EXPECT_THAT(policies().attached(line, IotPolicies::Reach::itself, {}).items,
              ElementsAre("OfLine"));
  EXPECT_THAT(policies().attached(line, IotPolicies::Reach::with_parents, {}).items,
              ElementsAre("OfLine", "OfSite"));
  EXPECT_THAT(policies().targets("Own", "", {}).items, ElementsAre("cert/" + id));
  EXPECT_THAT(refusal([&] { policies().remove("Own"); }), HasSubstr("conflict"));
  EXPECT_THAT(refusal([&] { policies().attach("None", certificate); }), HasSubstr("not_found"));
  EXPECT_THAT(refusal([&] {
                policies().attach("Own", {Kind::certificate, "x"});
              }),
              HasSubstr("not_found"));
  EXPECT_THAT(refusal([&] {
                policies().attach("Own", {Kind::thing_group, "x"});
              }),
              HasSubstr("not_found"));
  policies().detach("Own", certificate);
  policies().detach("Own", certificate);
  policies().remove("Own");
  for (int i = 0; i < 10; ++i) {
    (void)policies().create("N" + std::to_string(i), kDocument);
    policies().attach("N" + std::to_string(i), certificate);
  }
  EXPECT_THAT(refusal([&] { policies().attach("OfSite", certificate); }),
              HasSubstr("resource_exhausted"));
}

TEST_F(IotPoliciesTest, ARenewalHasThePoliciesOfWhatItRenews) {
  const std::string key = trust::make_private_key();
  const std::string pem = enrol("dev1", key);
  const std::string id = trust::describe_certificate(pem).fingerprint;
  (void)policies().create("P", kDocument);
  policies().attach("P", {Kind::certificate, id});
  const Certificate renewed =
      control().renewal.renew(pem, trust::make_csr(key, "x"), Renewal::Proof::by_connection);
  EXPECT_EQ(policies().effective("cert/" + renewed.id, "").size(), 1U);
  policies().detach("P", {Kind::certificate, renewed.id});
  EXPECT_THAT(policies().effective("cert/" + id, ""), IsEmpty());
}

TEST_F(IotPoliciesTest, EveryChangeIsToldToTheBroker) {
  const std::string id = enrolled("dev1");
  control().things.create_group("G", "", "", {});
  (void)control().rights.take_changes(100);
  (void)policies().create("P", kDocument);
  auto state = control().rights.take_changes(100);
  ASSERT_EQ(state.policies.size(), 1U);
  EXPECT_EQ(state.policies[0].document, kDocument);
  policies().attach("P", {Kind::thing_group, "G"});
  EXPECT_THAT(control().rights.take_changes(100).certificates, IsEmpty()) << "nobody is in it";
  const auto told = [&] {
    const auto one = control().rights.take_changes(100);
    const auto* found = find(one, id);
    return found == nullptr ? std::vector<std::string>{"nothing"} : found->policies;
  };
  control().things.add_to_group("dev1", "G");
  EXPECT_THAT(told(), ElementsAre("P"));
  ThingUpdate update;
  update.attributes = std::map<std::string, std::string>{{"site", "north"}};
  control().things.update("dev1", update);
  state = control().rights.take_changes(100);
  ASSERT_NE(find(state, id), nullptr);
  EXPECT_EQ(find(state, id)->facts.at("iot:Connection.Thing.Attributes[site]"), "north");
  EXPECT_EQ(find(state, id)->facts.at("iot:Connection.Thing.ThingName"), "dev1");
  (void)policies().add_version("P", with(R"("Action":"iot:Publish","Resource":"*")"),
                               VersionStanding::is_default);
  EXPECT_THAT(control().rights.take_changes(100).policies.at(0).document, HasSubstr("Publish"));
  control().things.remove_from_group("dev1", "G");
  EXPECT_THAT(told(), IsEmpty());
  control().things.add_to_group("dev1", "G");
  EXPECT_THAT(told(), ElementsAre("P"));
  control().things.remove_group("G");
  EXPECT_THAT(told(), IsEmpty());
  policies().remove_version("P", 1);
  policies().remove("P");
  state = control().rights.take_changes(100);
  ASSERT_EQ(state.policies.size(), 1U);
  EXPECT_EQ(state.policies[0].document, "");
}

TEST_F(IotPoliciesTest, ACertificateOfNoThingMayAtTheBrokerWhatItsPoliciesSayAndNowhereElse) {
  const Certificate certificate = control().certificates.issue(
      trust::make_csr(trust::make_private_key(), "x"),
      {.common_name = "plc", .thing = {}, .status = CertificateStatus::active, .renewal_of = {}});
  const auto at_broker = [&] { return control().rights.at_broker(certificate.id); };
  EXPECT_FALSE(at_broker()->may) << "neither thing nor policy";
  (void)policies().create(
      "P",
      with(
          R"("Action":"iot:Publish","Resource":"arn:aws:iot:::topic/${iot:Certificate.Subject.CommonName}")"));
  policies().attach("P", {Kind::certificate, certificate.id});
  EXPECT_TRUE(at_broker()->may);
  EXPECT_EQ(at_broker()->facts.at("iot:Certificate.Subject.CommonName"), "plc");
  EXPECT_EQ(at_broker()->facts.at("iot:Connection.Thing.IsAttached"), "false");
  EXPECT_FALSE(control().rights.may(certificate.id).may) << "the device plane is for things";
  control().certificates.set_status(certificate.id, CertificateStatus::inactive);
  EXPECT_FALSE(at_broker());
  EXPECT_THAT(refusal([&] {
                control().certificates.remove(certificate.id, Certificates::Policies::keep_it);
              }),
              HasSubstr("conflict"));
  control().certificates.remove(certificate.id, Certificates::Policies::go_with_it);
  policies().remove("P");
}

TEST_F(IotPoliciesTest, ThereIsABoundAndTheLastPageComesAsFastAsTheFirst) {
  database().write([&](store::Transaction& tx) {
    for (std::int64_t i = 0; i < IotPolicies::kMostPolicies; ++i) {
      const std::string name = "p" + std::to_string(100'000 + i);
      tx.execute(
          "INSERT INTO iot_policies (name, default_version, last_version, created_ms, updated_ms) "
          "VALUES ($1, 1, 1, 0, 0)",
          {name});
      tx.execute(
          "INSERT INTO iot_policy_versions (name, version, document, created_ms) "
          "VALUES ($1, 1, $2, 0)",
          {name, kDocument});
    }
  });
  EXPECT_THAT(refusal([&] { (void)policies().create("one-more", kDocument); }),
              HasSubstr("resource_exhausted"));
  std::size_t seen = 0;
  PageRequest page{.limit = 250, .after = {}};
  for (bool has_more = true; has_more;) {
    const auto found = policies().list(IotPolicies::Order::descending, page);
    seen += found.items.size();
    has_more = found.next.has_value();
    page.after = found.next.value_or("");
  }
  EXPECT_EQ(seen, static_cast<std::size_t>(IotPolicies::kMostPolicies));
  EXPECT_EQ(control().rights.read_all().policies.size(), seen);
}

}  // namespace
}  // namespace andon::control
