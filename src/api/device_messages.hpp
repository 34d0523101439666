// SPDX-License-Identifier: Apache-2.0
// One MQTT message of a device and what it is answered: jobs, the deployment shadow, health. No
// network and no threads, so that it can be tested and fuzzed by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "control/control_plane.hpp"
#include "control/notifier.hpp"

namespace andon::api {

// Larger messages are rejected unread. AWS IoT takes 128 KiB.
inline constexpr std::size_t kMaxDeviceMessageBytes = 256U << 10U;

// The topic filters that handle_device_message() understands.
[[nodiscard]] const std::vector<std::string>& device_topic_filters();
[[nodiscard]] bool is_health_topic(std::string_view topic);

// Acts on it and publishes the answer (.../accepted or .../rejected). Never throws: what is
// malformed is rejected with InvalidJson or InvalidRequest, a defect is logged and rejected with
// InternalError, which devices retry.
void handle_device_message(control::ControlPlane& control, control::Notifier& notifier,
                           const base::Clock& clock, const std::string& topic,
                           const std::string& payload);

}  // namespace andon::api
