// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/mqtt_bridge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log/log_listener.hpp"
#include "base/text/encoding.hpp"
#include "edge/cloud/refused_topics.hpp"
#include "edge/testing/ipc_fixture.hpp"
#include "edge/testing/mqtt_link_fake.hpp"

namespace andon::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::string_view kAllSix = R"({"mqttTopicMapping": {
  "1": {"topic": "lc/#", "source": "LocalMqtt", "target": "IotCore"},
  "2": {"topic": "lp/#", "source": "LocalMqtt", "target": "Pubsub", "targetTopicPrefix": "x/"},
  "3": {"topic": "cl/#", "source": "IotCore", "target": "LocalMqtt"},
  "4": {"topic": "cp/#", "source": "IotCore", "target": "Pubsub"},
  "5": {"topic": "pl/#", "source": "Pubsub", "target": "LocalMqtt"},
  "6": {"topic": "pc/#", "source": "Pubsub", "target": "IotCore", "targetTopicPrefix": "y/"}}})";

class MqttBridgeTest : public IpcFixture {
 protected:
  MqttBridgeTest() {
    install({{"app",
              {{"accessControl", base::parse_json(R"({"aws.greengrass.ipc.pubsub": {"p": {
                  "operations": ["*"], "resources": ["*"]}}})",
                                                  "test")}}}});
    pubsub_.add_to(operations_);
    call("SubscribeToTopic", R"({"topic": "#"})");
    cloud_.connect(true);
    local_.connect(true);
    bridge_.set_local(&local_);
  }
  void configure(std::string_view text) {
    configuration_ = base::parse_json(text, "test").as_object();
    bridge_.refresh();
  }
  void call(const std::string& operation, std::string_view request) {
    EXPECT_THAT(*begin(operation, base::parse_json(request, "request").as_object(), "app", stream_),
                StartsWith("{"));
  }
  void publish(const std::string& topic, const std::string& message) {
    call("PublishToTopic", R"({"topic": ")" + topic + R"(", "publishMessage": )" + message + "}");
  }
  static std::vector<std::string> sent_to(const FakeMqttLink& link) {
    std::vector<std::string> all;
    for (const auto& one : link.published) {
      std::string marks;
      for (const auto& [name, value] : one.properties.user_properties) {
        marks.append(" ").append(name).append("=").append(value);
      }
      all.push_back(one.message.topic + ' ' + one.message.payload + marks);
    }
    return all;
  }

  FakeMqttLink cloud_;
  FakeMqttLink local_;
  PublishSpool spool_{loop_, cloud_, *database_, writer_, clock_};
  RefusedTopics refused_{cloud_, "dev1", {[](const auto&) {}, [](const auto&) {}}};
  MqttOperations mqtt_{policy_, cloud_, spool_, refused_};
  PubsubOperations pubsub_{policy_};
  std::shared_ptr<RecordingStream> stream_ = std::make_shared<RecordingStream>();
  std::optional<json::object> configuration_;
  std::string note_;
  MqttBridge bridge_{{loop_, cloud_, spool_, refused_, mqtt_, pubsub_, "dev1",
                      [this] { return configuration_ ? &*configuration_ : nullptr; },
                      [this](const ComponentNote& note) { note_ = note.text; }}};
};

TEST_F(MqttBridgeTest, CarriesInAllSixDirections) {
  configure(kAllSix);
  local_.arrive("lc/1", "a");
  local_.arrive("lp/1", "b");
  cloud_.arrive("cl/1", "c");
  cloud_.arrive("cp/1", "d");
  publish("pl/1", R"({"binaryMessage": {"message": "ZQ=="}})");  // "e"
  publish("pc/1", R"({"jsonMessage": {"message": {"f": 1}}})");
  settle(loop_, writer_);
  EXPECT_THAT(sent_to(cloud_),
              ElementsAre("lc/1 a andon-bridge=dev1", R"(y/pc/1 {"f":1} andon-bridge=dev1)"));
  EXPECT_THAT(sent_to(local_), ElementsAre("cl/1 c andon-bridge=dev1", "pl/1 e andon-bridge=dev1"));
  ASSERT_THAT(stream_->events, SizeIs(4));
  EXPECT_THAT(stream_->events[0],
              AllOf(HasSubstr("x/lp/1"), HasSubstr(base::to_base64("b")), HasSubstr("binary")));
  EXPECT_THAT(stream_->events[1], AllOf(HasSubstr("cp/1"), HasSubstr(base::to_base64("d"))));
}

TEST_F(MqttBridgeTest, WhatItHasCarriedItDoesNotCarryAgain) {
  configure(R"({"mqttTopicMapping": {
    "1": {"topic": "a", "source": "LocalMqtt", "target": "IotCore"},
    "2": {"topic": "a", "source": "IotCore", "target": "LocalMqtt"},
    "3": {"topic": "a", "source": "LocalMqtt", "target": "Pubsub"},
    "4": {"topic": "a", "source": "Pubsub", "target": "LocalMqtt"}}})");
  local_.arrive("a", "1", {.user_properties = {{"andon-bridge", "dev1"}}});
  cloud_.arrive("a", "1", {.user_properties = {{"andon-bridge", "dev1"}}});
  settle(loop_, writer_);
  EXPECT_THAT(sent_to(cloud_), IsEmpty());
  EXPECT_THAT(sent_to(local_), IsEmpty());
  local_.arrive("a", "2");  // to the server and to components, and from neither back
  settle(loop_, writer_);
  EXPECT_THAT(sent_to(cloud_), ElementsAre("a 2 andon-bridge=dev1"));
  EXPECT_THAT(sent_to(local_), IsEmpty());
  cloud_.arrive("a", "3", {.user_properties = {{"andon-bridge", "another-device"}}});
  EXPECT_THAT(sent_to(local_), ElementsAre("a 3 andon-bridge=dev1"));
}

TEST_F(MqttBridgeTest, WhatIsForTheBrokerOfClientDevicesWaitsUntilItIsBack) {
  configure(kAllSix);
  local_.connect(false);
  cloud_.arrive("cl/1", "1");
  cloud_.arrive("cl/2", "2");
  EXPECT_THAT(sent_to(local_), IsEmpty());
  local_.connect(true);
  EXPECT_THAT(sent_to(local_), ElementsAre("cl/1 1 andon-bridge=dev1", "cl/2 2 andon-bridge=dev1"));
  local_.settle(wire::PublishOutcome::timed_out);  // the connection broke before it was taken
  local_.published.clear();
  local_.connect(true);
  EXPECT_THAT(sent_to(local_), ElementsAre("cl/1 1 andon-bridge=dev1"));

  local_.connect(false);
  local_.published.clear();
  for (std::size_t i = 0; i <= MqttBridge::kMostWaiting; ++i) {
    cloud_.arrive("cl/n", std::to_string(i));
  }
  EXPECT_THAT(note_, HasSubstr("too much waits"));
  local_.connect(true);
  ASSERT_THAT(local_.published, SizeIs(MqttBridge::kMostWaiting));
  EXPECT_EQ(local_.published.front().message.payload, "1");
}

TEST_F(MqttBridgeTest, WhatIsNotCarriedIsToldOnceAMinuteWithHowManyItWere) {
  configure(kAllSix);
  std::vector<std::string> counts;
  const base::LogListener listener(
      [&](base::LogLevel, std::string_view, std::initializer_list<base::LogField> fields) {
        for (const base::LogField& field : fields) {
          if (field.name == "count") counts.push_back(field.value);
        }
      });
  local_.connect(false);
  const auto arrive = [this](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) cloud_.arrive(i % 2 == 0 ? "cl/a" : "cl/b", "{}");
  };
  arrive(MqttBridge::kMostWaiting);
  EXPECT_THAT(counts, IsEmpty());
  arrive(500);
  EXPECT_THAT(counts, ElementsAre("1"));
  EXPECT_THAT(note_, HasSubstr("a message to 'cl/a' was not carried: too much waits"));
  loop_clock_.advance(MqttBridge::kBetweenWords);
  arrive(500);
  EXPECT_THAT(counts, ElementsAre("1", "500"));
}

TEST_F(MqttBridgeTest, AnotherMappingTakesThePlaceOfTheOneBefore) {
  configure(kAllSix);
  configure(R"({"mqttTopicMapping": {
    "1": {"topic": "z", "source": "LocalMqtt", "target": "IotCore"}}})");
  EXPECT_THAT(local_.filters(), ElementsAre("z"));
  configure(R"({"mqttTopicMapping": {"1": {"topic": "z", "source": "LocalMqtt", "target": "x"}}})");
  EXPECT_THAT(note_, HasSubstr("mqttTopicMapping.1.target"));
  EXPECT_THAT(local_.filters(), IsEmpty());
  configuration_.reset();
  bridge_.refresh();
  EXPECT_EQ(note_, "");
}

TEST_F(MqttBridgeTest, TopicsOfTheAgentAreNotForClientDevices) {
  configure(R"({"mqttTopicMapping": {
    "1": {"topic": "#", "source": "LocalMqtt", "target": "IotCore"},
    "2": {"topic": "cmd/andon/#", "source": "IotCore", "target": "LocalMqtt"}}})");
  cloud_.arrive("cmd/andon/dev1/commands/execute", "rm");
  local_.arrive("cmd/andon/dev1/commands/execute", "rm");
  settle(loop_, writer_);
  EXPECT_THAT(sent_to(local_), IsEmpty());
  EXPECT_THAT(sent_to(cloud_), IsEmpty());
}

}  // namespace
}  // namespace andon::edge
