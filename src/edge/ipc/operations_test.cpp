// SPDX-License-Identifier: Apache-2.0
// IPC operations as the table has them, without the socket: PublishToIoTCore and its siblings,
// local publish and subscribe, configuration.
#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"
#include "base/text/encoding.hpp"
#include "edge/ipc/configuration_operations.hpp"
#include "edge/ipc/metric_operations.hpp"
#include "edge/ipc/mqtt_operations.hpp"
#include "edge/ipc/pubsub_operations.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/enrolled_device.hpp"
#include "edge/testing/installed_component.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "edge/testing/recording_stream.hpp"
#include "edge/testing/settle.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

const char* const kAccess = R"({
  "aws.greengrass.ipc.mqttproxy": {"p:1": {"operations": ["*"], "resources": ["line/#"]}},
  "aws.greengrass.ipc.pubsub": {"p:2": {"operations": ["*"], "resources": ["local/*"]}}})";

class OperationsTest : public testing::Test {
 protected:
  OperationsTest() {
    InstalledSet set;
    for (const char* name : {"app", "other"}) {
      InstalledComponent component = installed_component(name);
      set.components.push_back(component);
    }
    host_.activate(set, {});
    const json::value access = base::parse_json(kAccess, "test");
    configurations_.adopt({{"app", {{"accessControl", access}, {"threshold", 0.5}}},
                           {"other", {{"accessControl", access}}}});
    mqtt_.add_to(operations_);
    pubsub_.add_to(operations_);
    configuration_.add_to(operations_);
  }

  // The response as text, or "Type: message" of the error; "waiting" before there is one.
  std::string call(const std::string& operation, std::string_view request,
                   const std::string& component = "app",
                   std::shared_ptr<RecordingStream> stream = nullptr) {
    if (!stream) stream = std::make_shared<RecordingStream>();
    const auto answer = std::make_shared<std::string>("waiting");
    const auto reply = [answer](const json::object& response, const std::exception_ptr& error) {
      if (!error) {
        *answer = base::to_text(response);
        return;
      }
      try {
        std::rethrow_exception(error);
      } catch (const IpcError& wrong) {
        *answer = wrong.type() + ": " + wrong.message();
      } catch (const base::Error& wrong) {
        *answer = "Error: " + wrong.message();
      }
    };
    const IpcOperation& found = operations_.at(operation);
    try {
      const IpcCall given{component, operation, base::parse_json(request, "request").as_object(),
                          stream};
      if (found.handle) {
        reply(found.handle(given), nullptr);
      } else {
        found.handle_later(given, reply);
        early_ = *answer;
        settle(loop_, writer_);
      }
    } catch (const base::Error&) {
      reply({}, std::current_exception());
    }
    return *answer;
  }
  std::string publish(const std::string& topic, const std::string& more) {
    return call("PublishToIoTCore",
                R"({"topicName":")" + topic + R"(","payload":"aGk=")" + more + "}");
  }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path()};
  DeviceConfig device_ = enrolled_device();
  base::FakeClock clock_{base::from_epoch_millis(1'000'000)};
  EventLoop loop_;
  FakeMqttLink link_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  StateWriter writer_{loop_, *database_};
  ConfigurationStore configurations_{*database_, writer_, clock_};
  ComponentTokens tokens_;
  AgentHost host_{device_, layout_, *database_, writer_, configurations_, tokens_};
  AccessPolicy policy_{configurations_, host_};
  PublishSpool spool_{loop_, link_, *database_, writer_, clock_};
  RefusedTopics refused_{link_,
                         "dev1",
                         {[this](const std::string& topic) { spool_.refuse(topic); },
                          [this](const std::string& component) { changed_.push_back(component); }}};
  std::vector<std::string> changed_;
  MqttOperations mqtt_{policy_, link_, spool_, refused_};
  PubsubOperations pubsub_{policy_};
  ConfigurationOperations configuration_{configurations_};
  IpcOperations operations_;
  std::string early_;  // the answer before the disk had anything to say
};

TEST_F(OperationsTest, WhoWatchesTheConnectionHearsHowItIsAndEachChange) {
  const auto stream = std::make_shared<RecordingStream>();
  EXPECT_EQ(call("SubscribeToIoTCoreConnectionStatus", "{}", "app", stream), "{}");
  link_.connect(true);
  link_.connect(false);
  const auto event = [](const std::string& status) {
    return R"(IoTCoreConnectionStatusEvent {"connectionStatusEvent":{"status":")" + status + "\"}}";
  };
  EXPECT_EQ(stream->events,
            (std::vector{event("DISCONNECTED"), event("CONNECTED"), event("DISCONNECTED")}));
  stream->close();
  link_.connect(true);
  EXPECT_EQ(stream->events.size(), 3U);
}

TEST_F(OperationsTest, AComponentsMetricsAreKeptAsTheyWereLast) {
  MetricOperations metrics;
  metrics.add_to(operations_);
  EXPECT_EQ(
      call("PutComponentMetric", R"({"metrics":[{"name":"speed","unit":"COUNT","value":3}]})"),
      "{}");
  EXPECT_EQ(
      call("PutComponentMetric", R"({"metrics":[{"name":"speed","unit":"COUNT","value":4}]})"),
      "{}");
  EXPECT_EQ(base::to_text(metrics.of("app")), R"({"speed":{"unit":"COUNT","value":4.0}})");
  EXPECT_EQ(base::to_text(metrics.of("other")), "{}");
  for (const char* const bad :
       {R"({})", R"({"metrics":[]})", R"({"metrics":[{"name":"x","unit":"MILES","value":1}]})",
        R"({"metrics":[{"name":"","unit":"COUNT","value":1}]})",
        R"({"metrics":[{"name":"x","unit":"COUNT","value":-1}]})"}) {
    EXPECT_EQ(call("PutComponentMetric", bad).substr(0, 21), "InvalidArgumentsError") << bad;
  }
}

TEST_F(OperationsTest, OneChangeIsOneEventWithTheDeepestPathThatHoldsAllOfIt) {
  const auto whole = std::make_shared<RecordingStream>();
  const auto part = std::make_shared<RecordingStream>();
  call("SubscribeToConfigurationUpdate", "{}", "app", whole);
  call("SubscribeToConfigurationUpdate", R"({"keyPath":["camera","exposure"]})", "app", part);
  configurations_.adopt({{"app", {{"camera", {{"gain", 1}, {"exposure", 2}}}, {"x", 1}}}});
  ASSERT_EQ(whole->events.size(), 1U);
  EXPECT_NE(whole->events.at(0).find(R"("keyPath":[])"), std::string::npos) << whole->events.at(0);
  configurations_.adopt({{"app", {{"camera", {{"gain", 2}, {"exposure", 3}}}, {"x", 1}}}});
  ASSERT_EQ(whole->events.size(), 2U);
  EXPECT_NE(whole->events.at(1).find(R"("keyPath":["camera"])"), std::string::npos);
  ASSERT_EQ(part->events.size(), 2U);
  EXPECT_NE(part->events.at(1).find(R"("keyPath":["camera","exposure"])"), std::string::npos);
}

TEST_F(OperationsTest, AMessageOfQos1IsAnsweredOnceItIsOnTheDisk) {
  EXPECT_EQ(publish("line/1", R"(,"qos":"1")"), "{}");
  EXPECT_EQ(early_, "waiting");
  EXPECT_GT(spool_.bytes(), 0U);
  link_.connect(true);
  settle(loop_, writer_);
  ASSERT_EQ(link_.published.size(), 1U);
  EXPECT_EQ(link_.published.front().message.payload, "hi");
}

TEST_F(OperationsTest, AMessageOfQos0GoesOutNowOrNotAtAll) {
  EXPECT_NE(publish("line/1", R"(,"qos":"0")").find("offline"), std::string::npos);
  link_.connect(true);
  EXPECT_EQ(publish("line/1", R"(,"qos":0)"), "{}");
  EXPECT_EQ(link_.published.size(), 1U);
  EXPECT_EQ(spool_.bytes(), 0U);
}

TEST_F(OperationsTest, APublishCarriesItsUserPropertiesAndItsFormat) {
  link_.connect(true);
  EXPECT_EQ(publish("line/1", R"(,"qos":"0","contentType":"text/plain","payloadFormat":"1",)"
                              R"("userProperties":[{"key":"line","value":"3"},{"key":"line"}])"),
            "{}");
  const wire::MqttPublishProperties& properties = link_.published.back().properties;
  EXPECT_EQ(properties.content_type, "text/plain");
  EXPECT_EQ(properties.is_utf8_text, true);
  EXPECT_EQ(properties.user_properties,
            (std::vector<std::pair<std::string, std::string>>{{"line", "3"}, {"line", ""}}));
}

TEST_F(OperationsTest, AMessageComesWithItsProperties) {
  const auto stream = std::make_shared<RecordingStream>();
  EXPECT_EQ(call("SubscribeToIoTCore", R"({"topicName":"line/+","qos":"1"})", "app", stream), "{}");
  EXPECT_EQ(link_.kept_filters, std::vector<std::string>{"line/+"});
  wire::MqttPublishProperties properties;
  properties.message_expiry_seconds = 60;
  properties.content_type = "text/plain";
  properties.response_topic = "answers";
  properties.correlation_data = std::string("\xff\x00", 2);
  properties.is_utf8_text = true;
  properties.user_properties = {{"line", "3"}, {"line", ""}};
  link_.arrive("line/1", "hi", properties);
  link_.arrive("line/1", "bare");
  ASSERT_EQ(stream->events.size(), 2U);
  const json::value expected = base::parse_json(
      R"({"topicName":"line/1","payload":"aGk=","messageExpiryIntervalSeconds":60,
          "contentType":"text/plain","responseTopic":"answers","correlationData":"/wA=",
          "payloadFormat":"1","userProperties":[{"key":"line","value":"3"},
          {"key":"line","value":""}]})",
      "test");
  EXPECT_NE(stream->events.at(0).find(base::to_text(expected)), std::string::npos)
      << stream->events.at(0);
  EXPECT_NE(stream->events.at(1).find(R"({"topicName":"line/1","payload":"YmFyZQ=="})"),
            std::string::npos)
      << stream->events.at(1);
}

TEST_F(OperationsTest, ASubscriptionModeThatIsNotHonouredIsRefusedByName) {
  EXPECT_EQ(call("SubscribeToIoTCore",
                 R"({"topicName":"line/1","subscriptionMode":"SUBSCRIBE_AND_RECEIVE"})"),
            "{}");
  const std::string said =
      call("SubscribeToIoTCore", R"({"topicName":"line/1","subscriptionMode":"RECEIVE_ONLY"})");
  EXPECT_TRUE(said.starts_with("InvalidArgumentsError: subscriptionMode")) << said;
}

TEST_F(OperationsTest, APublishThatIsWrongOrForbiddenSaysSo) {
  EXPECT_TRUE(publish("line/+", "").starts_with("InvalidArgumentsError")) << publish("line/+", "");
  EXPECT_TRUE(publish("line/1", R"(,"qos":"2")").starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(publish("line/1", R"(,"qos":"1","messageExpiryIntervalSeconds":-1)")
                  .starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(
      publish("line/1", R"(,"qos":"1","payloadFormat":"2")").starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(publish("line/1", R"(,"qos":"1","userProperties":[{"value":"x"}])")
                  .starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(publish("line/1",
                      R"(,"qos":"1","userProperties":[{"key":")" + std::string(9000, 'k') + "\"}]")
                  .starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(publish("line/1", R"(,"qos":"1","correlationData":"?")")
                  .starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(publish("cmd/1", R"(,"qos":"1")").starts_with("UnauthorizedError"));
  EXPECT_EQ(spool_.bytes(), 0U);
}

TEST_F(OperationsTest, WhatTheServerSaysNoComponentPublishes) {
  // Whatever its accessControl allows.
  const json::value all = base::parse_json(
      R"({"aws.greengrass.ipc.mqttproxy": {"p:1": {"operations": ["*"], "resources": ["*"]}}})",
      "test");
  configurations_.adopt({{"app", {{"accessControl", all}}}});
  for (const char* qos : {"0", "1"}) {
    const std::string more = std::string(R"(,"qos":")") + qos + "\"";
    const std::string said = publish(fleet::DeviceTopics("dev1").get_job() + "/accepted", more);
    EXPECT_TRUE(said.starts_with("UnauthorizedError")) << said;
  }
  EXPECT_EQ(publish("$aws/things/dev1/jobs/j/start-next", R"(,"qos":"1")"), "{}");
}

TEST_F(OperationsTest, WhatPeopleAskOfTheDeviceNoComponentAnswersOrHears) {
  const json::value all = base::parse_json(
      R"({"aws.greengrass.ipc.mqttproxy": {"p:1": {"operations": ["*"], "resources": ["*"]}}})",
      "test");
  configurations_.adopt({{"app", {{"accessControl", all}}}});
  const fleet::DeviceTopics topics("dev1");
  for (const std::string& topic : {topics.command("ask"), topics.command_answers("x")}) {
    const std::string said = publish(topic, R"(,"qos":"1")");
    EXPECT_TRUE(said.starts_with("UnauthorizedError")) << said;
  }
  const auto stream = std::make_shared<RecordingStream>();
  EXPECT_EQ(call("SubscribeToIoTCore", R"({"topicName":"#","qos":"1"})", "app", stream), "{}");
  link_.arrive(topics.command("ask"), "{}");
  link_.arrive(topics.command_answers("x"), "{}");
  EXPECT_TRUE(stream->events.empty());
  link_.arrive(topics.results(), "{}");
  EXPECT_EQ(stream->events.size(), 1U);
}

TEST_F(OperationsTest, ATopicThatTheBrokerRefusesIsRefusedAtOnceUntilThePolicyChanges) {
  link_.connect(true);
  const fleet::DeviceTopics topics("dev1");
  EXPECT_EQ(publish("line/1", R"(,"qos":"1")"), "{}");
  EXPECT_EQ(publish("line/1", R"(,"qos":"1")"), "{}");
  EXPECT_EQ(publish("line/2", R"(,"qos":"1")"), "{}");
  link_.arrive(topics.publish_refused(), R"({"topic":"line/1"})");
  settle(loop_, writer_);
  EXPECT_EQ(spool_.refused(), 2) << "the spool keeps nothing that may not go out";
  EXPECT_EQ(changed_, std::vector<std::string>{"app"});
  EXPECT_EQ(refused_.note_of("app"),
            "the device's IoT policies do not allow iot:Publish to line/1");
  const std::uint64_t others = spool_.bytes();
  EXPECT_GT(others, 0U);
  for (const char* qos : {"0", "1"}) {
    const std::string said = publish("line/1", std::string(R"(,"qos":")") + qos + "\"");
    EXPECT_TRUE(said.starts_with("UnauthorizedError: the broker does not let this device publish"))
        << said;
  }
  EXPECT_EQ(spool_.bytes(), others);
  link_.arrive(topics.policy_changed(), "{}");
  EXPECT_EQ(refused_.note_of("app"), "");
  EXPECT_EQ(publish("line/1", R"(,"qos":"1")"), "{}");
  link_.arrive(topics.publish_refused(), R"({"topic":"line/1"})");
  link_.connect(false);
  EXPECT_EQ(publish("line/1", R"(,"qos":"1")"), "{}") << "a new connection may bring a new right";
}

TEST_F(OperationsTest, RefusalsThatAreNoneOrTooManyDoNoHarm) {
  const fleet::DeviceTopics topics("dev1");
  for (const char* text : {"", "[]", "{", R"({"topic":7})", R"({"other":"x"})"}) {
    link_.arrive(topics.publish_refused(), text);
  }
  EXPECT_TRUE(refused_.all().empty());
  for (int i = 0; i < 1000; ++i) {
    link_.arrive(topics.publish_refused(), R"({"topic":"t)" + std::to_string(i) + "\"}");
  }
  EXPECT_EQ(refused_.all().size(), RefusedTopics::kMostTopics);
  EXPECT_TRUE(refused_.has("t999"));
  EXPECT_EQ(refused_.count(), 1000U);
}

TEST_F(OperationsTest, ASubscriptionToTheBrokerEndsWithItsStream) {
  const auto stream = std::make_shared<RecordingStream>();
  EXPECT_EQ(call("SubscribeToIoTCore", R"({"topicName":"line/+","qos":"1"})", "app", stream), "{}");
  link_.arrive("line/1", "hi");
  ASSERT_EQ(stream->events.size(), 1U);
  EXPECT_EQ(stream->events.front(),
            R"(IoTCoreMessage {"message":{"topicName":"line/1","payload":"aGk="}})");
  stream->close();
  link_.arrive("line/1", "hi");
  EXPECT_EQ(stream->events.size(), 1U);
  EXPECT_TRUE(
      call("SubscribeToIoTCore", R"({"topicName":"a#"})").starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(
      call("SubscribeToIoTCore", R"({"topicName":"cmd/#"})").starts_with("UnauthorizedError"));
}

TEST_F(OperationsTest, ComponentsSpeakWithOneAnotherAndNotWithThemselvesWhereTheySaySo) {
  const auto own = std::make_shared<RecordingStream>();
  const auto others = std::make_shared<RecordingStream>();
  call("SubscribeToTopic", R"({"topic":"local/+"})", "app", own);
  call("SubscribeToTopic", R"({"topic":"local/x","receiveMode":"RECEIVE_MESSAGES_FROM_OTHERS"})",
       "app", others);
  const char* const message =
      R"({"topic":"local/x","publishMessage":{"jsonMessage":{"message":{"a":1}}}})";
  EXPECT_EQ(call("PublishToTopic", message, "app"), "{}");
  EXPECT_EQ(own->events.size(), 1U);
  EXPECT_EQ(others->events.size(), 0U);
  EXPECT_EQ(call("PublishToTopic", message, "other"), "{}");
  EXPECT_EQ(own->events.size(), 2U);
  EXPECT_EQ(others->events,
            std::vector<std::string>{R"(SubscriptionResponseMessage {"jsonMessage":{"message":)"
                                     R"({"a":1},"context":{"topic":"local/x"}}})"});
  own->close();
  call("PublishToTopic", message, "other");
  EXPECT_EQ(own->events.size(), 2U);
}

TEST_F(OperationsTest, ALocalMessageIsJsonOrBytesAndAllowed) {
  for (const char* wrong :
       {R"({"topic":"local/x","publishMessage":{}})",
        R"({"topic":"local/x","publishMessage":{"jsonMessage":{}}})",
        R"({"topic":"local/x","publishMessage":{"binaryMessage":{"message":"?"}}})",
        R"({"topic":"local/#","publishMessage":{"jsonMessage":{"message":1}}})"}) {
    EXPECT_TRUE(call("PublishToTopic", wrong).starts_with("InvalidArgumentsError")) << wrong;
  }
  EXPECT_TRUE(
      call("PublishToTopic", R"({"topic":"else","publishMessage":{"jsonMessage":{"message":1}}})")
          .starts_with("UnauthorizedError"));
}

TEST_F(OperationsTest, AComponentChangesItsOwnConfigurationAndIsAnsweredOnceThatIsDurable) {
  const auto watcher = std::make_shared<RecordingStream>();
  call("SubscribeToConfigurationUpdate", R"({"keyPath":["threshold"]})", "app", watcher);
  EXPECT_EQ(call("UpdateConfiguration", R"({"keyPath":["threshold"],"valueToMerge":0.7})"), "{}");
  EXPECT_EQ(early_, "waiting");
  EXPECT_EQ(call("GetConfiguration", R"({"keyPath":["threshold"]})"),
            R"({"componentName":"app","value":{"threshold":0.7}})");
  ASSERT_EQ(watcher->events.size(), 1U);
  EXPECT_NE(watcher->events.front().find(R"("keyPath":["threshold"])"), std::string::npos);
}

TEST_F(OperationsTest, AConfigurationChangeThatMayNotBeIsRefused) {
  EXPECT_TRUE(
      call("UpdateConfiguration", R"({"componentName":"other","keyPath":["a"],"valueToMerge":1})")
          .starts_with("UnauthorizedError"));
  EXPECT_TRUE(call("UpdateConfiguration", R"({"keyPath":["accessControl","x"],"valueToMerge":1})")
                  .starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(call("UpdateConfiguration", R"({"keyPath":[],"valueToMerge":{"accessControl":{}}})")
                  .starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(
      call("UpdateConfiguration", R"({"keyPath":["a"]})").starts_with("InvalidArgumentsError"));
  EXPECT_TRUE(
      call("UpdateConfiguration", R"({"keyPath":[],"valueToMerge":1})").starts_with("Error"));
  EXPECT_EQ(call("UpdateConfiguration", R"({"keyPath":["a"],"valueToMerge":1,"timestamp":900})"),
            "{}");
  EXPECT_TRUE(call("UpdateConfiguration", R"({"keyPath":["a"],"valueToMerge":2,"timestamp":800})")
                  .starts_with("FailedUpdateConditionCheckError"));
  EXPECT_TRUE(call("GetConfiguration", R"({"componentName":"nobody"})")
                  .starts_with("ResourceNotFoundError"));
}

}  // namespace
}  // namespace andon::edge
