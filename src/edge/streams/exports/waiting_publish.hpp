// SPDX-License-Identifier: Apache-2.0
// Publishing over the device's own connection from a thread that may wait: the event loop publishes
// for it. Any thread but the loop's own.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"

namespace andon::edge {

// timed_out where there is no outcome within half a minute, or `cancelled` is set. `may_publish` is
// asked on the loop's thread; what it throws is thrown here as permission_denied.
[[nodiscard]] wire::PublishOutcome publish_and_wait(
    EventLoop& loop, MqttLink& link, const std::function<void(const std::string&)>& may_publish,
    const wire::MqttMessage& message, wire::Qos qos, bool retain,
    const std::atomic<bool>& cancelled);

}  // namespace andon::edge
