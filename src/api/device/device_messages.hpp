// SPDX-License-Identifier: Apache-2.0
// One MQTT message of a device and what it is answered: jobs, shadows, health. No
// network and no threads, so that it can be tested and fuzzed by itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "control/control_plane.hpp"
#include "control/shared/notifier.hpp"
#include "fleet/provisioning/server_addresses.hpp"

namespace andon::api {

// Health and telemetry: the next message says more than one that is left out.
[[nodiscard]] bool is_status_topic(std::string_view topic);

// Acts on it and publishes the answer (.../accepted or .../rejected); nothing where the thing has
// no certificate that may be used. Never throws: what is
// malformed is rejected with InvalidJson or InvalidRequest, a defect is logged and rejected with
// InternalError, which devices retry.
// `addresses`: of this server, for devices that ask; null: they are not told.
// `progressed`: called where a device has got on with a job, after that was stored; it must not
// block.
void handle_device_message(control::ControlPlane& control, control::Notifier& notifier,
                           const base::Clock& clock, const std::string& topic,
                           const std::string& payload,
                           const fleet::ServerAddresses* addresses = nullptr,
                           const std::function<void()>& progressed = {});

}  // namespace andon::api
