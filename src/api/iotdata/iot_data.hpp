// SPDX-License-Identifier: Apache-2.0
// Room: iotdata. The data plane of AWS IoT over HTTPS (service "iotdata", model 2015-05-28):
// shadows, messages that are published, and those that the broker keeps.
//
// Rows for the operation table; all that is referred to must outlive them.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/device_caller.hpp"
#include "api/table/operation.hpp"
#include "base/time/time.hpp"
#include "control/control_plane.hpp"
#include "wire/mqtt/mqtt_message.hpp"

namespace andon::api {

struct IotDataParts {
  control::ControlPlane& control;
  const base::Clock& clock;
  const Authorizer* authorizer = nullptr;
  DeviceRefusal devices = {};
  // Tells whether the broker has it; any thread.
  std::function<void(const wire::MqttMessage&, wire::Qos, const wire::MqttPublishProperties&,
                     std::function<void(bool)> told)>
      publish;
  // What the broker keeps on topics that a filter matches; blocks, with a deadline.
  std::function<std::vector<wire::MqttMessage>(const std::string& filter)> retained;
};

[[nodiscard]] std::vector<Operation> iot_data_operations(const IotDataParts& parts);

// A topic that the API may publish to: no filter, of AWS's length, and none on which devices and
// their server speak. Throws invalid_argument.
void check_users_topic(const std::string& topic);
// [{"name": "value"}, ...] as MQTT has it. Throws invalid_argument.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> read_user_properties(
    const base::json::value& properties);

}  // namespace andon::api
