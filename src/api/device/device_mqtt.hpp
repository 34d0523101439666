// SPDX-License-Identifier: Apache-2.0
// The MQTT side of the device plane: jobs, shadows and health messages, on the
// $aws/things/<thing>/ topics, and results, which go to the store. The other messages are taken
// from the network thread into a bounded queue and handled by one worker; when the queue is full
// the oldest health message makes room, or else the newcomer is dropped (devices ask again). Which
// thing speaks is in the topic: the broker's access rules guarantee it. A second thread brings
// deployments to devices and tells them what changed (ControlPlane::serve_devices).
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/time/time.hpp"
#include "control/control_plane.hpp"
#include "control/results/result_intake.hpp"
#include "control/shared/notifier.hpp"
#include "fleet/provisioning/server_addresses.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::api {

// Publishes through a client that is set once it is made; drops what comes before. Has room while
// it is connected, for a thousand messages that the broker has not yet acknowledged.
class MqttNotifier final : public control::Notifier {
 public:
  void publish(const std::string& topic, const std::string& payload) override;
  [[nodiscard]] bool has_room() const override;
  // The same for who wants to know whether the broker has it; `told` must not block. Any thread.
  void publish_told(const std::string& topic, const std::string& payload,
                    std::function<void(bool)> told);
  void publish_told(const wire::MqttMessage& message, wire::Qos qos,
                    const wire::MqttPublishProperties& properties, std::function<void(bool)> told);

  // nullptr before the client goes. Waits for a publish that is under way.
  void set_client(wire::MqttClient* client);

 private:
  mutable std::mutex mutex_;
  wire::MqttClient* client_ = nullptr;
  std::atomic<std::size_t> unanswered_ = 0;
};

class DeviceMqtt {
 public:
  // Subscribes on `client`. Repeats pending notifications at once and after each reconnect (tell
  // it by on_connected()), and looks for timed-out jobs every 30 s. `client` must outlive it.
  // `addresses`: of this server, where devices that were enrolled elsewhere are to follow.
  // `progressed`: called by the worker where a device has got on with a job; it must not block.
  DeviceMqtt(control::ControlPlane& control, control::ResultIntake& results,
             control::Notifier& notifier, const base::Clock& clock, wire::MqttClient& client,
             std::optional<fleet::ServerAddresses> addresses,
             std::function<void()> progressed = {});
  DeviceMqtt(const DeviceMqtt&) = delete;
  DeviceMqtt& operator=(const DeviceMqtt&) = delete;
  // Finishes the message in hand.
  ~DeviceMqtt();

  // From MqttConnectionHandler with connected = true; does not block.
  void on_connected();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::api
