// SPDX-License-Identifier: Apache-2.0
// The agent's connection to the broker as the main thread sees it: every handler is called from the
// event loop. One real implementation over wire::MqttClient, one fake for tests. Main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "edge/loop/event_loop.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::edge {

class MqttLink {
 public:
  MqttLink() = default;
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;
  virtual ~MqttLink() = default;

  [[nodiscard]] virtual bool is_connected() const = 0;
  // Ends the connection and makes a new one at once, with the certificate that is on the disk now.
  virtual void reconnect() = 0;
  // As wire::MqttClient has it.
  virtual void take(wire::MqttWay way) = 0;
  virtual void tune(const wire::MqttTuning& tuning) = 0;
  [[nodiscard]] virtual wire::MqttCounts counts() const = 0;
  // Called after each change, and at once where it is connected already.
  virtual void on_connection(std::function<void(bool connected)> handler) = 0;

  // Kept over reconnects. Throws invalid_argument for a malformed filter.
  virtual std::uint64_t subscribe(const std::string& filter, wire::Qos qos,
                                  wire::MqttMessageHandler handler, wire::WhileAway away) = 0;
  std::uint64_t subscribe(const std::string& filter, wire::Qos qos,
                          wire::MqttMessageHandler handler) {
    return subscribe(filter, qos, std::move(handler), wire::WhileAway::lost);
  }
  virtual void unsubscribe(std::uint64_t id) = 0;
  // No handler is called any more; it may be destroyed on another thread, which waits for its own.
  virtual void end() = 0;
  // `on_outcome` may be empty.
  virtual void publish(const wire::MqttMessage& message, wire::Qos qos,
                       std::function<void(wire::PublishOutcome)> on_outcome,
                       const wire::MqttPublishProperties& properties) = 0;
};

// `options` as for wire::MqttClient, whose thread it starts.
// How this device reaches its broker, under its own name.
[[nodiscard]] wire::MqttOptions broker_options(const DeviceConfig& device, const Layout& layout);

[[nodiscard]] std::unique_ptr<MqttLink> make_mqtt_link(EventLoop& loop,
                                                       const wire::MqttOptions& options);

}  // namespace andon::edge
