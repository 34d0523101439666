// SPDX-License-Identifier: Apache-2.0
// What the nucleus' configuration says under `mqtt` of the connection to the broker and of the
// spool before it. (Its port is with the endpoints, network_settings.hpp.) Values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::edge {

struct MqttSettings {
  wire::MqttTuning tuning;
  std::optional<std::uint64_t> spool_bytes;
  std::optional<std::chrono::seconds> spool_age;
  std::vector<std::string> problems;  // what cannot be used, which is left as it is without it
};

// Without a word about it: MQTT 5, and a session that the broker keeps for an hour.
[[nodiscard]] MqttSettings read_mqtt_settings(const base::json::object* nucleus);

}  // namespace andon::edge
