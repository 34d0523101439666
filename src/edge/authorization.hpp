// SPDX-License-Identifier: Apache-2.0
// May a component do this? Answered from the `accessControl` of its configuration, as AWS IoT
// Greengrass defines it; what is not allowed there is denied. Pure; any thread.
#pragma once

#include <string_view>

#include "base/json.hpp"

namespace andon::edge {

namespace json = base::json;

enum class ResourceForm {
  text,        // '*' is any text
  mqtt_topic,  // also '+' and '#' as whole levels
};

struct AccessRequest {
  std::string_view service;    // "aws.greengrass.ipc.mqttproxy"
  std::string_view operation;  // "aws.greengrass#PublishToIoTCore"
  std::string_view resource;   // a topic, or a filter
  ResourceForm form = ResourceForm::text;
};

// `access_control` has its variables replaced already; malformed parts allow nothing.
[[nodiscard]] bool is_allowed(const json::value& access_control, const AccessRequest& request);

// Does a policy's resource cover the one asked for? "${*}", "${?}" and "${$}" stand for those
// characters themselves.
[[nodiscard]] bool resource_matches(std::string_view pattern, std::string_view resource,
                                    ResourceForm form);

}  // namespace andon::edge
