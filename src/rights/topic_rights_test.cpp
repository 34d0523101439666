// SPDX-License-Identifier: Apache-2.0
// The decision by tables: the rules and examples of AWS IoT's documentation of policies, and what
// is andon's own.
#include "rights/topic_rights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/language/document.hpp"

namespace andon::rights {
namespace {

const std::string kRealm = "arn:aws:iot:us-east-1:000000000000:";

std::shared_ptr<const policy::PolicySet> policies_of(const std::vector<std::string>& statements) {
  std::vector<std::shared_ptr<const policy::NamedPolicy>> policies;
  for (const std::string& statement : statements) {
    std::string text = R"({"Version":"2012-10-17","Statement":[)" + statement + "]}";
    for (std::size_t at = 0; (at = text.find("ARN:", at)) != std::string::npos;) {
      text.replace(at, 4, kRealm);
    }
    policies.push_back(std::make_shared<const policy::NamedPolicy>(
        policy::NamedPolicy{.name = "p" + std::to_string(policies.size()),
                            .source = {},
                            .document = std::make_shared<const policy::Document>(
                                policy::Document::parse(text, policy::DocumentKind::identity))}));
  }
  return std::make_shared<const policy::PolicySet>(std::move(policies));
}

const Principal kThing{.kind = PrincipalKind::thing,
                       .name = "line-1",
                       .policies = {"p0"},
                       .facts = {{"iot:Connection.Thing.ThingName", "line-1"},
                                 {"iot:Connection.Thing.IsAttached", "true"},
                                 {"iot:Connection.Thing.ThingTypeName", "press"},
                                 {"iot:Connection.Thing.Attributes[site]", "north"},
                                 {"iot:Certificate.Subject.CommonName", "cn-1"}}};
const Principal kClient{.kind = PrincipalKind::client,
                        .name = "plc",
                        .policies = {"p0"},
                        .facts = {{"iot:Connection.Thing.IsAttached", "false"},
                                  {"iot:Certificate.Subject.CommonName", "plc"}}};

TopicRights rights_of(const Principal& principal, const std::vector<std::string>& statements,
                      const std::string& client_id = "", const std::string& ip = "10.1.2.3") {
  return {principal,
          statements.empty() ? nullptr : policies_of(statements),
          kRealm,
          {.client_id = client_id.empty() ? principal.name : client_id, .source_ip = ip}};
}

std::string allow(const std::string& action, const std::string& resource,
                  const std::string& condition = "") {
  return R"({"Effect":"Allow","Action":"iot:)" + action + R"(","Resource":")" + resource + "\"" +
         (condition.empty() ? "" : R"(,"Condition":)" + condition) + "}";
}
std::string deny(const std::string& action, const std::string& resource) {
  return R"({"Effect":"Deny","Action":"iot:)" + action + R"(","Resource":")" + resource + "\"}";
}

struct Case {
  const char* why;
  std::vector<std::string> statements;
  Action action;
  const char* topic;
  bool is_allowed;
};

bool ask(const TopicRights& rights, Action action, std::string_view topic) {
  switch (action) {
    case Action::connect:
      return rights.connect().is_allowed;
    case Action::publish:
      return rights.publish(topic).is_allowed;
    case Action::retain:
      return rights.retain(topic).is_allowed;
    case Action::subscribe:
      return rights.subscribe(topic).is_allowed;
    case Action::receive:
      return rights.receive(topic).is_allowed;
  }
  return false;
}

// "Policy actions", "Resource ARNs", "Using wildcard characters in MQTT and AWS IoT Core policies",
// "Publish/Subscribe policy examples", "Connect and publish policy examples".
TEST(TopicRightsOfAClient, AreWhatAwsDocuments) {
  const std::vector<Case> cases{
      {"nothing is allowed by default",
       {allow("Connect", "ARN:client/plc")},
       Action::publish,
       "a",
       false},
      {"connect by client id", {allow("Connect", "ARN:client/plc")}, Action::connect, "", true},
      {"another client id", {allow("Connect", "ARN:client/other")}, Action::connect, "", false},
      {"any client id", {allow("Connect", "ARN:client/*")}, Action::connect, "", true},
      {"all resources", {allow("Connect", "*")}, Action::connect, "", true},
      {"another account's",
       {allow("Connect", "arn:aws:iot:us-east-1:123456789012:client/plc")},
       Action::connect,
       "",
       false},
      {"the client id as a variable",
       {allow("Publish", "ARN:topic/${iot:ClientId}/state")},
       Action::publish,
       "plc/state",
       true},
      {"the client id of another",
       {allow("Publish", "ARN:topic/${iot:ClientId}/state")},
       Action::publish,
       "x/state",
       false},
      {"a topic", {allow("Publish", "ARN:topic/my/topic")}, Action::publish, "my/topic", true},
      {"one below it",
       {allow("Publish", "ARN:topic/my/topic")},
       Action::publish,
       "my/topic/a",
       false},
      {"one above it", {allow("Publish", "ARN:topic/my/topic")}, Action::publish, "my", false},
      {"another letter case", {allow("Publish", "ARN:topic/My")}, Action::publish, "my", false},
      {"* reaches over levels",
       {allow("Publish", "ARN:topic/my/*")},
       Action::publish,
       "my/a/b/c",
       true},
      {"* in the middle",
       {allow("Publish", "ARN:topic/my/*/c")},
       Action::publish,
       "my/a/b/c",
       true},
      {"* is nothing, too", {allow("Publish", "ARN:topic/my*")}, Action::publish, "my", true},
      {"? is one letter", {allow("Publish", "ARN:topic/line-?")}, Action::publish, "line-1", true},
      {"? is not two", {allow("Publish", "ARN:topic/line-?")}, Action::publish, "line-10", false},
      {"# of a policy is a letter",
       {allow("Publish", "ARN:topic/my/#")},
       Action::publish,
       "my/a",
       false},
      {"+ of a policy is a letter",
       {allow("Receive", "ARN:topic/my/+/x")},
       Action::receive,
       "my/a/x",
       false},
      {"a filter with + as it stands",
       {allow("Subscribe", "ARN:topicfilter/my/+/x")},
       Action::subscribe,
       "my/+/x",
       true},
      {"which is not its topics",
       {allow("Subscribe", "ARN:topicfilter/my/+/x")},
       Action::subscribe,
       "my/a/x",
       false},
      {"a filter with # as it stands",
       {allow("Subscribe", "ARN:topicfilter/my/#")},
       Action::subscribe,
       "my/#",
       true},
      {"which is not what is below",
       {allow("Subscribe", "ARN:topicfilter/my/#")},
       Action::subscribe,
       "my/a",
       false},
      {"* takes + and #",
       {allow("Subscribe", "ARN:topicfilter/my/*")},
       Action::subscribe,
       "my/+/#",
       true},
      {"topic is no topicfilter",
       {allow("Subscribe", "ARN:topic/my")},
       Action::subscribe,
       "my",
       false},
      {"topicfilter is no topic",
       {allow("Receive", "ARN:topicfilter/my")},
       Action::receive,
       "my",
       false},
      {"to subscribe is not to receive",
       {allow("Subscribe", "ARN:topicfilter/my")},
       Action::receive,
       "my",
       false},
      {"to publish is not to retain",
       {allow("Publish", "ARN:topic/my")},
       Action::retain,
       "my",
       false},
      {"to retain by its name",
       {allow("RetainPublish", "ARN:topic/my")},
       Action::retain,
       "my",
       true},
      {"iot:Publish* is both", {allow("*Publish", "ARN:topic/my")}, Action::retain, "my", true},
      {"iot:*", {allow("*", "*")}, Action::retain, "my", true},
      {"a Deny wins",
       {allow("*", "*") + "," + deny("Publish", "ARN:topic/my")},
       Action::publish,
       "my",
       false},
      {"of another policy, too",
       {allow("*", "*"), deny("Publish", "ARN:topic/m?")},
       Action::publish,
       "my",
       false},
      {"and leaves the rest",
       {allow("*", "*"), deny("Publish", "ARN:topic/m?")},
       Action::publish,
       "other",
       true},
      {"NotResource",
       {R"({"Effect":"Allow","Action":"iot:Publish","NotResource":"ARN:topic/secret/*"})"},
       Action::publish,
       "open",
       true},
      {"but that",
       {R"({"Effect":"Allow","Action":"iot:Publish","NotResource":"ARN:topic/secret/*"})"},
       Action::publish,
       "secret/a",
       false},
      {"the common name",
       {allow("Publish", "ARN:topic/${iot:Certificate.Subject.CommonName}/a")},
       Action::publish,
       "plc/a",
       true},
      {"no thing: no name of one",
       {allow("Publish", "ARN:topic/${iot:Connection.Thing.ThingName}/a")},
       Action::publish,
       "plc/a",
       false},
      {"no thing is an empty name",
       {allow("Publish", "ARN:topic/${iot:Connection.Thing.ThingName}/a")},
       Action::publish,
       "/a",
       false},
      {"IsAttached is false",
       {allow("Publish", "*", R"({"Bool":{"iot:Connection.Thing.IsAttached":"true"}})")},
       Action::publish,
       "a",
       false},
      {"the address",
       {allow("Publish", "*", R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})")},
       Action::publish,
       "a",
       true},
      {"another network",
       {allow("Publish", "*", R"({"IpAddress":{"aws:SourceIp":"192.168.0.0/16"}})")},
       Action::publish,
       "a",
       false},
      {"the client id as a condition",
       {allow("Publish", "*", R"({"StringEquals":{"iot:ClientId":"plc"}})")},
       Action::publish,
       "a",
       true},
      {"all of andon, where its policy says so",
       {allow("Receive", "ARN:topic/andon/things/*/results")},
       Action::receive,
       "andon/things/line-1/results",
       true},
      {"a whole fleet's jobs by *",
       {allow("*", "*")},
       Action::subscribe,
       "$aws/things/line-1/jobs/notify",
       true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(ask(rights_of(kClient, one.statements), one.action, one.topic), one.is_allowed)
        << one.why;
  }
  EXPECT_FALSE(rights_of(kClient, {}).connect().is_allowed) << "without a policy";
}

// "Thing policy variables", "X.509 Certificate policy variables".
TEST(TopicRightsOfAThing, HaveTheVariablesThatAwsDocuments) {
  const std::vector<Case> cases{
      {"its name",
       {allow("Publish", "ARN:topic/s/${iot:Connection.Thing.ThingName}")},
       Action::publish,
       "s/line-1",
       true},
      {"whatever the case of the key",
       {allow("Publish", "ARN:topic/s/${IOT:connection.thing.thingname}")},
       Action::publish,
       "s/line-1",
       true},
      {"not another's",
       {allow("Publish", "ARN:topic/s/${iot:Connection.Thing.ThingName}")},
       Action::publish,
       "s/line-2",
       false},
      {"its type",
       {allow("Publish", "ARN:topic/${iot:Connection.Thing.ThingTypeName}/x")},
       Action::publish,
       "press/x",
       true},
      {"its attribute",
       {allow("Publish", "ARN:topic/${iot:Connection.Thing.Attributes[site]}/x")},
       Action::publish,
       "north/x",
       true},
      {"one that it lacks",
       {allow("Publish", "ARN:topic/${iot:Connection.Thing.Attributes[hall]}/x")},
       Action::publish,
       "north/x",
       false},
      {"with a default",
       {allow("Publish", "ARN:topic/${iot:Connection.Thing.Attributes[hall], 'all'}/x")},
       Action::publish,
       "all/x",
       true},
      {"IsAttached",
       {allow("Publish", "ARN:topic/x", R"({"Bool":{"iot:Connection.Thing.IsAttached":"true"}})")},
       Action::publish,
       "x",
       true},
      {"IsAttached as a list",
       {allow("Publish", "ARN:topic/x",
              R"({"Bool":{"iot:Connection.Thing.IsAttached":["true"]}})")},
       Action::publish,
       "x",
       true},
      {"an attribute as a condition",
       {allow("Publish", "ARN:topic/x",
              R"({"StringLike":{"iot:Connection.Thing.Attributes[site]":"nor*"}})")},
       Action::publish,
       "x",
       true},
      {"a Deny whose variable has no value denies nothing",
       {allow("Publish", "*"),
        deny("Publish", "ARN:topic/${iot:Connection.Thing.Attributes[hall]}")},
       Action::publish,
       "x",
       true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(ask(rights_of(kThing, one.statements), one.action, one.topic), one.is_allowed)
        << one.why;
  }
}

TEST(TopicRightsOfAThing, AreTheWiredInOnesWithoutAPolicyAndBeyondAndonsOwnThePolicysWithOne) {
  struct Row {
    Action action;
    const char* topic;
    bool without;
    bool with;  // a policy that says nothing of it
  };
  for (const auto& [action, topic, without, with] : {
           Row{Action::publish, "$aws/things/line-1/jobs/x/update", true, true},
           Row{Action::publish, "andon/things/line-1/results", true, true},
           Row{Action::retain, "andon/things/line-1/state", true, true},
           Row{Action::subscribe, "$aws/things/line-1/jobs/#", true, true},
           Row{Action::receive, "cmd/andon/line-1/stored/server", true, true},
           Row{Action::subscribe, "cmd/andon/line-1/stored/+", true, true},
           Row{Action::receive, "andon/broadcast/news", true, true},
           Row{Action::publish, "dt/site/line-1/temperature", true, false},
           Row{Action::subscribe, "dt/+/line-1/#", true, false},
           Row{Action::receive, "cmd/site/line-1/stop", true, false},
           Row{Action::publish, "anything", false, false},
           Row{Action::publish, "cmd/andon/line-1/stored/server", false, false},
           Row{Action::connect, "", true, true},
       }) {
    EXPECT_EQ(ask(rights_of(kThing, {}), action, topic), without) << topic;
    EXPECT_EQ(ask(rights_of(kThing, {allow("Publish", "ARN:topic/plant/*")}), action, topic), with)
        << topic;
  }
}

// AWS would let it.
TEST(TopicRightsOfAThing, WithAPolicyOfEverythingAreNotThoseOfAnotherThingNorOfTheServer) {
  const TopicRights all = rights_of(kThing, {allow("*", "*")});
  for (const char* topic : {"$aws/things/line-2/jobs/x/update", "$aws/things/line-10/jobs/notify",
                            "$aws/events/presence/connected/x", "andon/things/line-2/results",
                            "andon/broker/counters", "$SYS/broker/version",
                            "cmd/andon/line-2/stored/server", "cmd/andon/line-1/stored/server"}) {
    EXPECT_FALSE(all.publish(topic).is_allowed) << topic;
  }
  for (const char* topic : {"$aws/things/line-2/jobs/notify", "andon/things/line-2/results",
                            "$SYS/broker/version", "cmd/andon/line-2/stored/server"}) {
    EXPECT_FALSE(all.receive(topic).is_allowed) << topic;
  }
  for (const char* filter :
       {"#", "+/#", "+/things/#", "andon/#", "andon/+/line-2/results", "$aws/#", "$aws/things/#",
        "$aws/things/+/jobs/#", "cmd/#", "cmd/+/line-2/#", "$SYS/#", "+", "+/+/+/+"}) {
    EXPECT_FALSE(all.subscribe(filter).is_allowed) << filter;
  }
  for (const char* topic : {"plant/stop", "dt/site/line-2/x", "cmd/site/line-2/stop"}) {
    EXPECT_TRUE(all.publish(topic).is_allowed) << topic;
    EXPECT_TRUE(all.receive(topic).is_allowed) << topic;
    EXPECT_TRUE(all.subscribe(topic).is_allowed) << topic;
  }
  EXPECT_TRUE(all.subscribe("plant/#").is_allowed);
}

TEST(TopicRightsOfAThing, SpeakToATopicRuleAloneOnlyWhereAPolicySaysSo) {
  const char* const topic = "$aws/rules/hot/plant/1";
  EXPECT_FALSE(rights_of(kThing, {}).publish(topic).is_allowed);
  const TopicRights ruled = rights_of(kThing, {allow("Publish", "ARN:topic/$aws/rules/hot/*"),
                                               allow("Subscribe", "*"), allow("Receive", "*")});
  EXPECT_TRUE(ruled.publish(topic).is_allowed);
  EXPECT_FALSE(ruled.publish("$aws/rules/other/plant/1").is_allowed);
  EXPECT_FALSE(ruled.receive(topic).is_allowed);
  EXPECT_FALSE(ruled.subscribe("$aws/rules/#").is_allowed);
}

TEST(TopicRightsOfAThing, ADenyOfConnectShutsItOutAndNoOtherTakesItsOwnTopics) {
  EXPECT_FALSE(rights_of(kThing, {deny("Connect", "*")}).connect().is_allowed);
  EXPECT_FALSE(rights_of(kThing, {deny("*", "*")}).connect().is_allowed);
  EXPECT_TRUE(rights_of(kThing, {deny("Connect", "ARN:client/line-2")}).connect().is_allowed);
  const TopicRights quiet =
      rights_of(kThing, {deny("Publish", "*"), deny("Subscribe", "*"), deny("Receive", "*")});
  EXPECT_TRUE(quiet.connect().is_allowed);
  EXPECT_TRUE(quiet.publish("$aws/things/line-1/jobs/x/update").is_allowed);
  EXPECT_TRUE(quiet.receive("$aws/things/line-1/jobs/notify").is_allowed);
  EXPECT_FALSE(quiet.publish("dt/site/line-1/x").is_allowed);
  const std::string long_id = "line-1#" + std::string(kMostTopicBytes, 'x');
  EXPECT_FALSE(
      rights_of(kThing, {deny("Connect", "ARN:client/line-1*")}, long_id).connect().is_allowed)
      << "no way around a Deny";
}

TEST(TopicRights, OverHttpsRetainedMessagesFollowWhatMayBeReceived) {
  const TopicRights unruled = rights_of(kThing, {});
  EXPECT_TRUE(unruled.read_retained("dt/counts/line-1").is_allowed);
  EXPECT_FALSE(unruled.read_retained("dt/counts/line-2").is_allowed);
  const TopicRights ruled = rights_of(
      kThing, {allow("GetRetainedMessage", "ARN:topic/recipe/*"), allow("*", "ARN:topic/andon/*")});
  EXPECT_TRUE(ruled.read_retained("recipe/now").is_allowed);
  EXPECT_FALSE(ruled.read_retained("plant/now").is_allowed);
  EXPECT_FALSE(ruled.read_retained("andon/things/line-2/results").is_allowed);
}

TEST(TopicRights, SayWhatPoliciesAloneSayOfOtherActions) {
  const TopicRights rights = rights_of(
      kThing,
      {allow("*", "ARN:thing/line-1*"), deny("UpdateThingShadow", "ARN:thing/line-1/lamp")});
  EXPECT_TRUE(rights.ask("iot:GetThingShadow", "thing/line-1").is_allowed);
  EXPECT_EQ(rights.ask("iot:UpdateThingShadow", "thing/line-1/lamp").verdict,
            policy::Verdict::denied_explicitly);
  EXPECT_EQ(rights_of(kThing, {}).ask("iot:GetThingShadow", "thing/line-1").verdict,
            policy::Verdict::denied_implicitly);
}

TEST(TopicRights, SayWhichPolicyDecided) {
  const TopicRights rights =
      rights_of(kClient, {allow("Publish", "ARN:topic/a"), deny("Publish", "ARN:topic/b")});
  EXPECT_EQ(rights.publish("a").policy->name, "p0");
  EXPECT_EQ(rights.publish("b").policy->name, "p1");
  EXPECT_EQ(rights.publish("b").verdict, policy::Verdict::denied_explicitly);
  EXPECT_EQ(rights.publish("c").policy, nullptr);
}

TEST(TopicRights, RememberAndForgetWithoutSayingOtherwise) {
  TopicRights rights = rights_of(kClient, {allow("Publish", "ARN:topic/a/*")});
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) {
      const std::string end = std::to_string(i);
      ASSERT_TRUE(rights.may(Action::publish, "a/" + end));
      ASSERT_FALSE(rights.may(Action::receive, "a/" + end));
      ASSERT_FALSE(rights.may(Action::publish, "b/" + end));
    }
  }
  EXPECT_FALSE(rights.may(Action::publish, "a/" + std::string(kMostTopicBytes, 'x')))
      << "longer than AWS IoT takes";
}

TEST(TopicRights, CommandsAreAskedByTheServerAloneAndAnsweredByTheThingAlone) {
  const std::string ask = "cmd/andon/line-1/commands/ask";
  const std::string answers = "andon/things/line-1/commands/6ba7b810";
  const std::vector<std::string> everything{allow("*", "*")};
  const Principal server{.kind = PrincipalKind::server, .name = "andon-server"};
  const Principal consumer{.kind = PrincipalKind::consumer, .name = "andon"};
  const Principal other{.kind = PrincipalKind::thing, .name = "line-10"};
  EXPECT_TRUE(rights_of(server, {}).publish(ask).is_allowed);
  EXPECT_TRUE(rights_of(kThing, {}).publish(answers).is_allowed);
  EXPECT_TRUE(rights_of(kThing, {}).subscribe("cmd/andon/line-1/commands/+").is_allowed);
  EXPECT_TRUE(rights_of(kThing, {}).receive(ask).is_allowed);
  for (const auto& statements : {std::vector<std::string>{}, everything}) {
    EXPECT_FALSE(rights_of(kThing, statements).publish(ask).is_allowed);
    for (const Principal& who : {consumer, other, kClient}) {
      TopicRights rights = rights_of(who, statements);
      EXPECT_FALSE(rights.publish(ask).is_allowed) << who.name;
      EXPECT_FALSE(rights.retain(ask).is_allowed) << who.name;
      EXPECT_FALSE(rights.publish(answers).is_allowed) << who.name;
      EXPECT_FALSE(rights.may(Action::publish, answers)) << who.name;
    }
    EXPECT_FALSE(rights_of(other, statements).subscribe("cmd/andon/line-1/commands/+").is_allowed);
    EXPECT_FALSE(rights_of(other, statements).receive(answers).is_allowed);
  }
}

TEST(TopicRights, OfTheOperatorAndTheServerAreEverything) {
  for (const PrincipalKind kind : {PrincipalKind::consumer, PrincipalKind::server}) {
    const TopicRights rights = rights_of({.kind = kind, .name = "x"}, {});
    EXPECT_TRUE(rights.connect().is_allowed);
    EXPECT_TRUE(rights.publish("$aws/things/a/b").is_allowed);
    EXPECT_TRUE(rights.subscribe("#").is_allowed);
    EXPECT_TRUE(rights.receive("$SYS/x").is_allowed);
    EXPECT_FALSE(rights.publish("$SYS/x").is_allowed);
  }
}

}  // namespace
}  // namespace andon::rights
