// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/device_groups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <tuple>

#include "base/error/error.hpp"
#include "broker/access/access.hpp"
#include "edge/clients/broker_files.hpp"

namespace andon::edge {
namespace {

using broker::Decision;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json::object groups_of(std::string_view text) {
  return base::parse_json(text, "test").as_object();
}

constexpr std::string_view kGroups = R"({
  "formatVersion": "2021-03-05",
  "definitions": {
    "sensors": {"selectionRule": "thingName: sensor-*", "policyName": "sensor"},
    "some": {"selectionRule": "thingName: sensor-2 OR thingName: press", "policyName": "all"}},
  "policies": {
    "sensor": {
      "connect": {"operations": ["mqtt:connect"],
                  "resources": ["mqtt:clientId:${iot:Connection.Thing.ThingName}"]},
      "talk": {"operations": ["mqtt:publish"],
               "resources": ["mqtt:topic:line/${iot:Connection.Thing.ThingName}/*",
                             "mqtt:topic:what?", "mqtt:topic:star${*}"]},
      "not": {"effect": "DENY", "operations": ["mqtt:publish"],
              "resources": ["mqtt:topic:line/*/secret"]},
      "listen": {"operations": ["mqtt:subscribe"], "resources": ["mqtt:topicfilter:orders/+"]},
      "own": {"operations": ["app:open"], "resources": ["door:${iot:Connection.Thing.ThingName}"]}},
    "all": {"everything": {"operations": ["*"], "resources": ["*"]}}}})";

TEST(DeviceGroups, ADeviceHasThePoliciesOfItsGroups) {
  const DeviceGroups groups(groups_of(kGroups));
  EXPECT_THAT(groups.policies_of("sensor-1"), ElementsAre("sensor"));
  EXPECT_THAT(groups.policies_of("sensor-2"), ElementsAre("sensor", "all"));
  EXPECT_THAT(groups.policies_of("press"), ElementsAre("all"));
  EXPECT_THAT(groups.policies_of("stranger"), IsEmpty());
  EXPECT_FALSE(groups.allows("stranger", "mqtt:connect", "mqtt:clientId:stranger"));
  EXPECT_FALSE(DeviceGroups().allows("sensor-1", "mqtt:connect", "mqtt:clientId:sensor-1"));
}

TEST(DeviceGroups, WhatIsNoMqttIsAllowedAsWell) {
  const DeviceGroups groups(groups_of(kGroups));
  EXPECT_TRUE(groups.allows("sensor-1", "app:open", "door:sensor-1"));
  EXPECT_FALSE(groups.allows("sensor-1", "app:open", "door:sensor-3"));
  EXPECT_FALSE(groups.allows("sensor-1", "app:close", "door:sensor-1"));
  EXPECT_TRUE(groups.allows("press", "app:close", "door:9"));
}

// The broker's module, with the view that it gets.
class BrokerView {
 public:
  explicit BrokerView(const DeviceGroups& groups) {
    const std::string agent(64, 'a');
    fleet::ClientDeviceList clients;
    for (const char* const thing : {"sensor-1", "sensor-2", "press", "stranger"}) {
      clients.certificates[thing] = {fingerprint(thing)};
    }
    std::vector<broker::Change> changes;
    std::istringstream lines(client_view(groups, clients, agent));
    for (std::string line; std::getline(lines, line);) changes.push_back(broker::parse_line(line));
    static_cast<void>(access_.replace_view(changes));
  }
  bool connects(const std::string& thing, const std::string& client_id) {
    return access_
               .connect(this, {.fingerprint = fingerprint(thing), .client_id = client_id},
                        std::chrono::steady_clock::time_point{})
               .decision == Decision::allowed;
  }
  bool publishes(const std::string& client_id, const std::string& topic) {
    return access_.publish(client_id, {.topic = topic}, std::chrono::steady_clock::time_point{}) ==
           Decision::allowed;
  }
  bool subscribes(const std::string& client_id, const std::string& filter) {
    return access_.subscribe(client_id, filter, 0) == Decision::allowed;
  }

 private:
  static std::string fingerprint(const std::string& thing) {
    std::string text(64, '0');
    text[0] = thing.front() == 's' ? '1' : '2';
    text[1] = thing.back() == '1' ? '3' : thing.back() == '2' ? '4' : '5';
    return text;
  }
  broker::Access access_;
};

TEST(DeviceGroups, TheBrokerDecidesAsTheyDo) {
  const DeviceGroups groups(groups_of(kGroups));
  BrokerView view(groups);
  const std::vector<std::tuple<std::string, std::string, bool>> connects{
      {"sensor-1", "sensor-1", true},
      {"sensor-1", "other", false},
      {"press", "whatever", true},
      {"stranger", "stranger", false}};
  for (const auto& [thing, client_id, expected] : connects) {
    EXPECT_EQ(groups.allows(thing, "mqtt:connect", "mqtt:clientId:" + client_id), expected);
    EXPECT_EQ(view.connects(thing, client_id), expected) << thing << " as " << client_id;
  }
  const std::vector<std::pair<std::string, bool>> topics{{"line/sensor-1/t", true},
                                                         {"line/sensor-2/t", false},
                                                         {"what?", true},
                                                         {"whatx", false},
                                                         {"star*", true},
                                                         {"starry", false},
                                                         {"line/sensor-1/secret", false},
                                                         {"orders/1", false}};
  for (const auto& [topic, expected] : topics) {
    EXPECT_EQ(groups.allows("sensor-1", "mqtt:publish", "mqtt:topic:" + topic), expected) << topic;
    EXPECT_EQ(view.publishes("sensor-1", topic), expected) << topic;
  }
  const std::vector<std::pair<std::string, bool>> filters{
      {"orders/+", true}, {"orders/1", false}, {"orders/#", false}, {"#", false}};
  for (const auto& [filter, expected] : filters) {
    EXPECT_EQ(groups.allows("sensor-1", "mqtt:subscribe", "mqtt:topicfilter:" + filter), expected);
    EXPECT_EQ(view.subscribes("sensor-1", filter), expected) << filter;
  }
  EXPECT_TRUE(view.subscribes("whatever", "#"));
  EXPECT_TRUE(view.publishes("whatever", "anything"));
}

TEST(DeviceGroups, WhatIsWrongIsNamed) {
  const auto with_policy = [](const std::string& statement) {
    return R"({"definitions": {}, "policies": {"p": {"s": )" + statement + "}}}";
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"formatVersion": "1"})", "deviceGroups.formatVersion"},
      {R"({"definitions": {"g": {"policyName": "p"}}})", "policyName"},
      {R"({"definitions": {"g": {"selectionRule": "thingName: ("}}})", "policyName"},
      {R"({"definitions": {"g": {"selectionRule": "thingName: (", "policyName": "p"}},
           "policies": {"p": {}}})",
       "selectionRule"},
      {R"({"definitions": {"g": {"selectionRule": "colour: red", "policyName": "p"}},
           "policies": {"p": {}}})",
       "colour"},
      {with_policy(R"({"effect": "PERHAPS"})"), "effect"},
      {with_policy(R"({"operations": "mqtt:connect"})"), "operations"},
      {with_policy(R"({"operations": [""]})"), "operations"},
      {with_policy(R"({"resources": ["mqtt:*"]})"), "wildcard"},
      {with_policy(R"({"resources": ["mqtt:topic:${who}"]})"), "variable"}};
  for (const auto& [text, place] : cases) {
    try {
      const DeviceGroups groups(groups_of(text));
      ADD_FAILURE() << text << " was taken";
    } catch (const base::Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(place)) << text;
    }
  }
}

}  // namespace
}  // namespace andon::edge
