// SPDX-License-Identifier: Apache-2.0
// The configuration of Greengrass' components for client devices, as this agent acts on it. The
// readers throw invalid_argument naming the member that is wrong. Values; pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "edge/clients/device_groups.hpp"

namespace andon::edge {

inline constexpr std::string_view kClientAuth = "aws.greengrass.clientdevices.Auth";
inline constexpr std::string_view kMoquette = "aws.greengrass.clientdevices.mqtt.Moquette";
inline constexpr std::string_view kEmqx = "aws.greengrass.clientdevices.mqtt.EMQX";
inline constexpr std::string_view kMqttBridge = "aws.greengrass.clientdevices.mqtt.Bridge";

struct ClientAuthSettings {
  DeviceGroups groups;
  std::chrono::seconds certificate_lifetime{std::chrono::days{7}};  // of the broker's
  bool is_rotated = true;
  std::chrono::minutes trusted_for{1};  // what the server last said of client devices
  std::size_t most_tokens = 2500;
};
[[nodiscard]] ClientAuthSettings read_client_auth_settings(const json::object& configuration);

// Where the broker listens.
struct ClientBrokerSettings {
  std::string address;  // an IP address; empty: everywhere
  std::uint16_t port = 8883;
  friend bool operator==(const ClientBrokerSettings&, const ClientBrokerSettings&) = default;
};
// moquette.host and moquette.ssl_port.
[[nodiscard]] ClientBrokerSettings read_moquette_settings(const json::object& configuration);
// emqxConfig.listeners.ssl.default.bind, or emqx."listener.ssl.external" of its first version:
// "8883" or "0.0.0.0:8883".
[[nodiscard]] ClientBrokerSettings read_emqx_settings(const json::object& configuration);

enum class BridgeEnd : std::uint8_t { local_mqtt, iot_core, pubsub };
// A line of mqttTopicMapping.
struct BridgeRoute {
  std::string name;
  std::string topic;  // a filter
  std::string target_prefix;
  BridgeEnd source = BridgeEnd::local_mqtt;
  BridgeEnd target = BridgeEnd::local_mqtt;
  friend bool operator==(const BridgeRoute&, const BridgeRoute&) = default;
};
[[nodiscard]] std::vector<BridgeRoute> read_bridge_routes(const json::object& configuration);

}  // namespace andon::edge
