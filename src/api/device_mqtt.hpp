// SPDX-License-Identifier: Apache-2.0
// The MQTT side of the device plane: jobs, the deployment shadow and health messages, on the
// $aws/things/<thing>/ topics. Messages are taken from the network thread into a bounded queue and
// handled by one worker; when the queue is full the oldest health message makes room, or else the
// newcomer is dropped (devices ask again). Which thing speaks is in the topic: the broker's access
// rules guarantee it.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/time.hpp"
#include "control/control_plane.hpp"
#include "control/notifier.hpp"
#include "wire/mqtt_client.hpp"

namespace andon::api {

// Publishes through a client that is set once it is made; drops what comes before.
class MqttNotifier final : public control::Notifier {
 public:
  void publish(const std::string& topic, const std::string& payload) override;

  // nullptr before the client goes. Waits for a publish that is under way.
  void set_client(wire::MqttClient* client);

 private:
  std::mutex mutex_;
  wire::MqttClient* client_ = nullptr;
};

class DeviceMqtt {
 public:
  // Subscribes on `client`. Repeats pending notifications at once and after each reconnect (tell
  // it by on_connected()), and looks for timed-out jobs every 30 s. `client` must outlive it.
  DeviceMqtt(control::ControlPlane& control, control::Notifier& notifier, const base::Clock& clock,
             wire::MqttClient& client);
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
