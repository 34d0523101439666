// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/client_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

json::object object_of(std::string_view text) {
  return base::parse_json(text, "test").as_object();
}

template <typename Reader>
void expect_problems(const Reader& read,
                     const std::vector<std::pair<std::string, std::string>>& cases) {
  for (const auto& [text, place] : cases) {
    try {
      static_cast<void>(read(object_of(text)));
      ADD_FAILURE() << text << " was taken";
    } catch (const base::Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(place)) << text;
    }
  }
}

TEST(ClientAuthSettings, AreThoseOfClientDeviceAuth) {
  const ClientAuthSettings usual = read_client_auth_settings({});
  EXPECT_EQ(usual.certificate_lifetime, std::chrono::days(7));
  EXPECT_TRUE(usual.is_rotated);
  EXPECT_EQ(usual.trusted_for, std::chrono::minutes(1));
  EXPECT_EQ(usual.most_tokens, 2500U);
  const ClientAuthSettings other = read_client_auth_settings(object_of(R"({
      "certificates": {"serverCertificateValiditySeconds": "172800",
                       "disableCertificateRotation": "true"},
      "security": {"clientDeviceTrustDurationMinutes": 90},
      "performance": {"maxActiveAuthTokens": 10}})"));
  EXPECT_EQ(other.certificate_lifetime, std::chrono::days(2));
  EXPECT_FALSE(other.is_rotated);
  EXPECT_EQ(other.trusted_for, std::chrono::minutes(90));
  EXPECT_EQ(other.most_tokens, 10U);
  expect_problems(read_client_auth_settings,
                  {{R"({"certificates": {"serverCertificateValiditySeconds": 60}})",
                    "certificates.serverCertificateValiditySeconds"},
                   {R"({"certificateAuthority": {"certificateUri": "file:///ca.pem"}})",
                    "certificateAuthority.certificateUri"},
                   {R"({"security": 1})", "security"},
                   {R"({"deviceGroups": {"formatVersion": "x"}})", "deviceGroups.formatVersion"}});
}

TEST(ClientBrokerSettings, AreReadAsMoquettesAndEmqxs) {
  EXPECT_EQ(read_moquette_settings({}), ClientBrokerSettings{});
  EXPECT_EQ(
      read_moquette_settings(object_of(R"({"moquette": {"ssl_port": "443", "host": "10.0.0.1"}})")),
      (ClientBrokerSettings{"10.0.0.1", 443}));
  EXPECT_EQ(read_moquette_settings(object_of(R"({"moquette": {"host": "0.0.0.0"}})")),
            ClientBrokerSettings{});
  expect_problems(read_moquette_settings,
                  {{R"({"moquette": {"ssl_port": "no"}})", "moquette.ssl_port"},
                   {R"({"moquette": {"host": "a b"}})", "moquette.host"}});
  EXPECT_EQ(read_emqx_settings({}), ClientBrokerSettings{});
  EXPECT_EQ(read_emqx_settings(object_of(R"({"emqx": {"listener.ssl.external": "9000"}})")),
            (ClientBrokerSettings{"", 9000}));
  EXPECT_EQ(
      read_emqx_settings(object_of(
          R"({"emqxConfig": {"listeners": {"ssl": {"default": {"bind": "127.0.0.1:9001"}}}}})")),
      (ClientBrokerSettings{"127.0.0.1", 9001}));
  expect_problems(
      read_emqx_settings,
      {{R"({"emqxConfig": {"listeners": {"ssl": {"default": {"bind": "x:y"}}}}})", "bind"}});
}

TEST(BridgeRoutes, AreReadFromTheTopicMapping) {
  const auto routes = read_bridge_routes(object_of(R"({"mqttTopicMapping": {
      "up": {"topic": "line/+/t", "source": "LocalMqtt", "target": "IotCore",
             "targetTopicPrefix": "plant/"},
      "in": {"topic": "orders", "source": "IotCore", "target": "Pubsub"}}})"));
  ASSERT_THAT(routes, SizeIs(2));
  EXPECT_EQ(routes[0],
            (BridgeRoute{"up", "line/+/t", "plant/", BridgeEnd::local_mqtt, BridgeEnd::iot_core}));
  EXPECT_EQ(routes[1], (BridgeRoute{"in", "orders", "", BridgeEnd::iot_core, BridgeEnd::pubsub}));
  EXPECT_THAT(read_bridge_routes({}), SizeIs(0));
  const auto with = [](const std::string& mapping) {
    return R"({"mqttTopicMapping": {"m": )" + mapping + "}}";
  };
  expect_problems(
      read_bridge_routes,
      {{with(R"({"source": "LocalMqtt", "target": "Pubsub"})"), "mqttTopicMapping.m.topic"},
       {with(R"({"topic": "a/#/b", "source": "LocalMqtt", "target": "Pubsub"})"), "topic"},
       {with(R"({"topic": "a", "source": "Local", "target": "Pubsub"})"), "source"},
       {with(R"({"topic": "a", "source": "LocalMqtt"})"), "target"},
       {with(R"({"topic": "a", "source": "Pubsub", "target": "Pubsub"})"), "circle"},
       {with(R"({"topic": "a", "source": "Pubsub", "target": "IotCore",
                 "targetTopicPrefix": "x/#"})"),
        "targetTopicPrefix"}});
}

}  // namespace
}  // namespace andon::edge
