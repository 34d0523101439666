// SPDX-License-Identifier: Apache-2.0
// What the control plane leaves in the outbox for the event bus: what happened, in the transaction
// that made it so. Whoever reads it puts it into AWS's envelope (api/events/own_events.hpp).
// Any thread.
#pragma once

#include <string_view>

namespace andon::control {

// Kinds of rows of the outbox, with what their subjects are; the payload is a JSON object.
inline constexpr std::string_view kModelEvent = "event.model";            // NAME/VERSION
inline constexpr std::string_view kDeploymentEvent = "event.deployment";  // a thing
inline constexpr std::string_view kComponentsEvent = "event.components";  // a thing
inline constexpr std::string_view kDeviceEvent = "event.device";          // a thing
inline constexpr std::string_view kAlarmEvent = "event.alarm";  // a thing; empty: the server
inline constexpr std::string_view kEventConsumer = "events";

}  // namespace andon::control
