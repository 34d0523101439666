// SPDX-License-Identifier: Apache-2.0
#include "broker/access/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::broker {
namespace {

using testing::ElementsAre;
using TimePoint = Access::TimePoint;

const std::string kLine1(64, '1');
const std::string kLine2(64, '2');
const std::string kConsumer(64, 'c');
const std::string kServer(64, '5');
const TimePoint kNow = TimePoint() + std::chrono::hours(1000);

class AccessRules : public testing::Test {
 protected:
  AccessRules() {
    EXPECT_TRUE(access_
                    .replace_view(std::vector<Change>{
                        AddThing{"line-1"}, AddThing{"line-10"}, AddThing{"line-2"},
                        AllowCertificate{kLine1, {PrincipalKind::thing, "line-1"}},
                        AllowCertificate{kLine2, {PrincipalKind::thing, "line-2"}},
                        AllowCertificate{kConsumer, {PrincipalKind::consumer, "shift-office"}},
                        AllowCertificate{kServer, {PrincipalKind::server, "andon-server"}}})
                    .ended.empty());
  }
  Decision connect(const std::string& fingerprint, std::string_view id, bool is_kept = false,
                   TimePoint now = kNow) {
    return access_
        .connect(&connections_[next_++ % std::size(connections_)],
                 {.fingerprint = fingerprint, .client_id = id, .is_kept = is_kept}, now)
        .decision;
  }
  Decision publish(std::string_view id, std::string_view topic, std::size_t bytes = 1,
                   bool is_retained = false, TimePoint now = kNow) {
    return access_.publish(id, {.topic = topic, .payload_bytes = bytes, .is_retained = is_retained},
                           now);
  }
  void limit(const Limits& limits) {
    EXPECT_TRUE(access_.apply(std::vector<Change>{limits}).ended.empty());
  }

  int connections_[64] = {};
  std::size_t next_ = 0;
  Access access_;
};

TEST_F(AccessRules, AClaimProvisionsByItsTemplateAndDoesNothingElse) {
  const std::string claim(64, '7');
  const std::string other(64, '8');
  EXPECT_TRUE(
      access_
          .apply(std::vector<Change>{AllowCertificate{claim, {PrincipalKind::claim, "line"}},
                                     AllowCertificate{other, {PrincipalKind::claim, "line"}}})
          .ended.empty());
  EXPECT_EQ(connect(claim, "line-1"), Decision::refused);
  EXPECT_EQ(connect(claim, "andon-server"), Decision::refused);
  EXPECT_EQ(connect(claim, "c0ffee"), Decision::allowed);
  EXPECT_EQ(connect(other, "c0ffee"), Decision::refused);  // no claim takes another's client id
  for (const char* topic :
       {"$aws/certificates/create/json", "$aws/certificates/create-from-csr/json",
        "$aws/provisioning-templates/line/provision/json"}) {
    EXPECT_EQ(publish("c0ffee", topic), Decision::allowed) << topic;
    const std::string accepted = std::string(topic) + "/accepted";
    EXPECT_EQ(access_.subscribe("c0ffee", accepted, 0), Decision::allowed) << topic;
    // It is handed its answers; subscribing brings nobody's, its own or another's.
    EXPECT_EQ(access_.receive("c0ffee", accepted), Decision::refused) << topic;
    EXPECT_EQ(access_.receive("c0ffee", topic), Decision::refused) << topic;
  }
  for (const char* topic :
       {"$aws/certificates/create/cbor", "$aws/provisioning-templates/other/provision/json",
        "$aws/things/line-1/jobs/get", "andon/deliver/78/x", "plant/x"}) {
    EXPECT_EQ(publish("c0ffee", topic), Decision::refused) << topic;
    EXPECT_EQ(access_.subscribe("c0ffee", topic, 0), Decision::refused) << topic;
  }
  EXPECT_FALSE(access_.may_deliver("c0ffee"));
  EXPECT_EQ(connect(kServer, "andon-server"), Decision::allowed);
  EXPECT_TRUE(access_.may_deliver("andon-server"));
  // Who hears all hears neither: they hold keys and tokens. The server hears questions alone.
  ASSERT_EQ(connect(kConsumer, "hears-all"), Decision::allowed);
  for (const char* topic : {"andon/deliver/78/$aws/certificates/create/json/accepted",
                            "$SYS/broker/andon/questions/78/ab/$aws/certificates/create/json"}) {
    EXPECT_EQ(access_.receive("hears-all", topic), Decision::refused) << topic;
    EXPECT_EQ(access_.receive("andon-server", topic),
              topic[0] == '$' ? Decision::allowed : Decision::refused)
        << topic;
  }
}

TEST_F(AccessRules, BindTheClientIdToTheCertificate) {
  struct Case {
    const std::string* fingerprint;
    const char* id;
    Decision decision;
  };
  const std::string unknown(64, '9');
  const std::string none;
  for (const auto& [fingerprint, id, decision] : {
           Case{&kLine1, "line-1", Decision::allowed},
           Case{&kLine1, "line-1#camera", Decision::allowed},
           Case{&kLine1, "line-10", Decision::refused},
           Case{&kLine1, "line-2", Decision::refused},
           Case{&kLine1, "other", Decision::refused},
           Case{&kLine1, "", Decision::refused},
           Case{&kConsumer, "anything", Decision::allowed},
           Case{&kConsumer, "line-1", Decision::refused},
           Case{&kConsumer, "line-1#x", Decision::refused},
           Case{&kConsumer, "line-11", Decision::allowed},
           Case{&kServer, "andon-server-1234", Decision::allowed},
           Case{&unknown, "line-1", Decision::refused},
           Case{&none, "line-1", Decision::refused},
       }) {
    EXPECT_EQ(connect(*fingerprint, id), decision) << id;
  }
}

TEST_F(AccessRules, ConfineAThingToItsTopics) {
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  for (const char* topic : {"$aws/things/line-1/jobs/x/update", "andon/things/line-1/results",
                            "dt/site/line-1/temperature"}) {
    EXPECT_EQ(publish("line-1", topic), Decision::allowed) << topic;
    EXPECT_EQ(access_.receive("line-1", topic), Decision::allowed) << topic;
    EXPECT_EQ(access_.subscribe("line-1", topic, 0), Decision::allowed) << topic;
  }
  for (const char* topic :
       {"$aws/things/line-10/jobs/x/update", "andon/things/line-2/results", "anything",
        "$SYS/broker/version", "$aws/events/presence/connected/x"}) {
    EXPECT_EQ(publish("line-1", topic), Decision::refused) << topic;
    EXPECT_EQ(access_.receive("line-1", topic), Decision::refused) << topic;
    EXPECT_EQ(access_.subscribe("line-1", topic, 0), Decision::refused) << topic;
  }
  EXPECT_EQ(publish("line-1", "cmd/site/line-1/stop"), Decision::refused);
  EXPECT_EQ(access_.subscribe("line-1", "cmd/+/line-1/#", 0), Decision::allowed);
  for (const char* filter : {"#", "+/+/+/#", "$aws/#", "$share/g/#", "$share/g/dt/+/line-2/#"}) {
    EXPECT_EQ(access_.subscribe("line-1", filter, 0), Decision::refused) << filter;
  }
  EXPECT_EQ(publish("never-connected", "dt/site/line-1/x"), Decision::refused);
}

TEST_F(AccessRules, EndWithTheRightToConnect) {
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  ASSERT_EQ(connect(kLine2, "line-2"), Decision::allowed);
  EXPECT_THAT(access_.apply(std::vector<Change>{RefuseCertificate{kLine1}}).ended,
              ElementsAre("line-1"));
  EXPECT_EQ(publish("line-1", "dt/x/line-1/y"), Decision::refused);
  EXPECT_EQ(connect(kLine1, "line-1"), Decision::refused);
  EXPECT_EQ(publish("line-2", "dt/x/line-2/y"), Decision::allowed);
  EXPECT_THAT(access_.replace_view({}).ended, ElementsAre("line-2"));
}

TEST_F(AccessRules, OutliveTheConnectionThatWasTakenOver) {
  int first = 0;
  int second = 0;
  const Access::Connecting line{.fingerprint = kLine1, .client_id = "line-1", .is_kept = false};
  ASSERT_EQ(access_.connect(&first, line, kNow).decision, Decision::allowed);
  ASSERT_EQ(access_.connect(&second, line, kNow).decision, Decision::allowed);
  access_.disconnect(&first, "line-1", kNow);  // mosquitto ends the old one afterwards
  EXPECT_EQ(publish("line-1", "dt/x/line-1/y"), Decision::allowed);
  access_.disconnect(&second, "line-1", kNow);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/y"), Decision::refused);
}

TEST_F(AccessRules, LimitWhatAThingPublishesInATime) {
  Limits limits;
  limits.messages_per_second = 10;
  limits.message_bytes = 1000;
  limit(limits);
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  ASSERT_EQ(connect(kLine1, "line-1#2"), Decision::allowed);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/y", 1001), Decision::over_limit);
  int taken = 0;
  for (int i = 0; i < 100; ++i) {
    if (publish(i % 2 == 0 ? "line-1" : "line-1#2", "dt/x/line-1/y") == Decision::allowed) ++taken;
  }
  EXPECT_EQ(taken, 20) << "all client ids of a thing together";
  EXPECT_EQ(publish("line-1", "dt/x/line-1/y", 1, false, kNow + std::chrono::seconds(1)),
            Decision::allowed);
  ASSERT_EQ(connect(kConsumer, "office"), Decision::allowed);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(publish("office", "cmd/x/line-1/y"), Decision::allowed);
}

TEST_F(AccessRules, LimitWhatAThingLeavesRetained) {
  Limits limits;
  limits.retained_messages = 2;
  limits.retained_bytes = 100;
  limit(limits);
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/a", 10, true), Decision::allowed);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/b", 10, true), Decision::allowed);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/c", 10, true), Decision::over_limit);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/b", 90, true), Decision::over_limit);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/a", 0, true), Decision::allowed) << "taken away";
  EXPECT_EQ(publish("line-1", "dt/x/line-1/c", 10, true), Decision::allowed);
}

TEST_F(AccessRules, LimitSessionsAndSubscriptions) {
  Limits limits;
  limits.sessions = 2;
  limits.subscriptions = 5;
  limit(limits);
  EXPECT_EQ(connect(kLine1, "line-1#1", true), Decision::allowed);
  EXPECT_EQ(connect(kLine1, "line-1#2", true), Decision::allowed);
  EXPECT_EQ(connect(kLine1, "line-1#3", true), Decision::over_limit);
  EXPECT_EQ(connect(kLine1, "line-1#2", true), Decision::allowed) << "the same again";
  EXPECT_EQ(access_.subscribe("line-1#1", "dt/x/line-1/y", 4), Decision::allowed);
  EXPECT_EQ(access_.subscribe("line-1#1", "dt/x/line-1/y", 5), Decision::over_limit);
}

TEST_F(AccessRules, ForgetSessionsThatTheBrokerHasForgotten) {
  Limits limits;
  limits.sessions = 1;
  limit(limits);
  int connection = 0;
  ASSERT_EQ(access_
                .connect(&connection,
                         {.fingerprint = kLine1, .client_id = "line-1#1", .is_kept = true}, kNow)
                .decision,
            Decision::allowed);
  access_.disconnect(&connection, "line-1#1", kNow);
  EXPECT_EQ(connect(kLine1, "line-1#2", true, kNow + std::chrono::hours(23)), Decision::over_limit);
  EXPECT_EQ(connect(kLine1, "line-1#2", true, kNow + std::chrono::hours(25)), Decision::allowed);
}

std::string policy(const std::string& statement) {
  return R"({"Version":"2012-10-17","Statement":[)" + statement + "]}";
}
const char* const kPublishPlant =
    R"({"Effect":"Allow","Action":"iot:Publish","Resource":"arn:r:topic/plant/*"})";
const char* const kReadPlant =
    R"({"Effect":"Allow","Action":["iot:Subscribe","iot:Receive"],"Resource":"arn:r:topic*/plant/*"})";
const char* const kConnectPlc =
    R"({"Effect":"Allow","Action":"iot:Connect","Resource":"arn:r:client/plc*"})";

class PolicyRules : public AccessRules {
 protected:
  PolicyRules() {
    EXPECT_TRUE(apply({SetRealm{"arn:r:"}, SetPolicy{"Plant", policy(kPublishPlant)},
                       AllowCertificate{kLine1, {PrincipalKind::thing, "line-1", {"Plant"}}}})
                    .ended.empty());
  }
  Access::Consequences apply(const std::vector<Change>& changes) { return access_.apply(changes); }
};

TEST_F(PolicyRules, AChangeCountsForWhoIsConnected) {
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  ASSERT_EQ(connect(kLine2, "line-2"), Decision::allowed);
  EXPECT_EQ(publish("line-1", "plant/a"), Decision::allowed);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/a"), Decision::refused);
  EXPECT_EQ(publish("line-2", "plant/a"), Decision::refused);
  auto after = apply({SetPolicy{"Plant", policy(kReadPlant)}});
  EXPECT_TRUE(after.ended.empty());
  EXPECT_THAT(after.changed_things, ElementsAre("line-1"));
  EXPECT_EQ(publish("line-1", "plant/a"), Decision::refused);
  EXPECT_EQ(access_.subscribe("line-1", "plant/#", 0), Decision::allowed);
  EXPECT_EQ(access_.receive("line-1", "plant/a"), Decision::allowed);
  after = apply({RemovePolicy{"Other"}, AddThing{"x"}});
  EXPECT_TRUE(after.ended.empty() && after.changed_things.empty());
  after = apply({AllowCertificate{kLine1, {PrincipalKind::thing, "line-1"}}});
  EXPECT_THAT(after.ended, ElementsAre("line-1")) << "with a subscription that it may not have";
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/a"), Decision::allowed);
}

TEST_F(PolicyRules, ASubscriptionThatWasGivenUpCutsNobodyOff) {
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  (void)apply({SetPolicy{"Plant", policy(kReadPlant)}});
  ASSERT_EQ(access_.subscribe("line-1", "plant/#", 0), Decision::allowed);
  access_.unsubscribe("line-1", "plant/#");
  EXPECT_TRUE(apply({SetPolicy{"Plant", policy(kPublishPlant)}}).ended.empty());
}

TEST_F(PolicyRules, ASessionThatIsKeptKeepsWhatItsSubscriptionsAre) {
  ASSERT_EQ(connect(kLine1, "line-1", true), Decision::allowed);
  (void)apply({SetPolicy{"Plant", policy(kReadPlant)}});
  ASSERT_EQ(access_.subscribe("line-1", "plant/#", 0), Decision::allowed);
  ASSERT_EQ(connect(kLine1, "line-1", true), Decision::allowed);
  EXPECT_THAT(apply({SetPolicy{"Plant", policy(kPublishPlant)}}).ended, ElementsAre("line-1"));
}

TEST_F(PolicyRules, AClientOfNoThingMayWhatItsPoliciesSay) {
  const std::string plc(64, 'd');
  (void)apply({AllowCertificate{plc, {PrincipalKind::client, "plc", {"Gone"}}}});
  EXPECT_EQ(connect(plc, "plc"), Decision::refused) << "a policy that is not there says nothing";
  (void)apply({SetPolicy{"Gone", policy(std::string(kConnectPlc) + "," + kPublishPlant)}});
  EXPECT_EQ(connect(plc, "other"), Decision::refused);
  EXPECT_EQ(connect(plc, "line-1"), Decision::refused);
  ASSERT_EQ(connect(plc, "plc-1"), Decision::allowed);
  EXPECT_EQ(publish("plc-1", "plant/a"), Decision::allowed);
  EXPECT_EQ(publish("plc-1", "other"), Decision::refused);
  EXPECT_EQ(publish("plc-1", "plant/a", 1, true), Decision::refused)
      << "to retain is another right";
  const std::string rival(64, 'e');
  (void)apply({AllowCertificate{rival, {PrincipalKind::client, "rival", {"Gone"}}}});
  EXPECT_EQ(connect(rival, "plc-1"), Decision::refused) << "it is in use";
  EXPECT_THAT(apply({RemovePolicy{"Gone"}}).ended, ElementsAre("plc-1"));
}

TEST_F(PolicyRules, AClientOfNoThingKeepsToTheSameLimits) {
  Limits limits;
  limits.sessions = 2;
  limits.subscriptions = 3;
  limits.messages_per_second = 10;
  limit(limits);
  const std::string plc(64, 'd');
  (void)apply({SetPolicy{"All", policy(R"({"Effect":"Allow","Action":"iot:*","Resource":"*"})")},
               AllowCertificate{plc, {PrincipalKind::client, "line-1", {"All"}}}});
  ASSERT_EQ(connect(plc, "a", true), Decision::allowed);
  ASSERT_EQ(connect(plc, "b", true), Decision::allowed);
  EXPECT_EQ(connect(plc, "c", true), Decision::over_limit);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(access_.subscribe("a", "x/" + std::to_string(i), i), Decision::allowed);
  }
  EXPECT_EQ(access_.subscribe("a", "x/3", 2), Decision::over_limit);
  EXPECT_EQ(access_.subscribe("a", "x/0", 2), Decision::allowed) << "the same again";
  EXPECT_EQ(access_.subscribe("a", "y/0", 0), Decision::allowed)
      << "the broker has none of the others any more";
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += publish("a", "plant/x") == Decision::allowed ? 1 : 0;
  EXPECT_EQ(taken, 20);
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed) << "a thing of that name has its own";
  EXPECT_EQ(publish("line-1", "plant/x"), Decision::allowed);
}

TEST_F(PolicyRules, ADocumentThatCannotBeReadSaysNothingAndIsNoWayBackToTheWiredInRights) {
  (void)apply({SetPolicy{"Plant", R"({"Version":"2099-01-01"})"}});
  ASSERT_EQ(connect(kLine1, "line-1"), Decision::allowed);
  EXPECT_EQ(publish("line-1", "dt/x/line-1/a"), Decision::refused);
  EXPECT_EQ(publish("line-1", "andon/things/line-1/results"), Decision::allowed);
}

}  // namespace
}  // namespace andon::broker
