// SPDX-License-Identifier: Apache-2.0
// The MQTT side of the device plane: jobs, the deployment shadow and health messages, on the
// $aws/things/<thing>/ topics. Messages are taken from the network thread into a bounded queue and
// handled by one worker; when the queue is full the oldest health messages go first and then the
// newest request is dropped (devices ask again). Which thing speaks is in the topic: the broker's
// access rules guarantee it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "control/control_plane.hpp"
#include "control/notifier.hpp"
#include "wire/mqtt_client.hpp"

namespace andon::api {

// Publishes through a client that is set once the broker's address is known; drops before.
class MqttNotifier final : public control::Notifier {
 public:
  MqttNotifier();
  ~MqttNotifier() override;
  void publish(const std::string& topic, const std::string& payload) override;

  // nullptr before the client goes. Blocks while a publish is under way.
  void set_client(wire::MqttClient* client);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One message to the server and what is answered; the pure middle of DeviceMqtt, for tests and
// fuzzing. Never throws.
void handle_device_message(control::ControlPlane& control, control::Notifier& notifier,
                           const base::Clock& clock, const std::string& topic,
                           const std::string& payload);

class DeviceMqtt {
 public:
  // Subscribes on `client`, and repeats pending notifications at once, on each reconnect (tell it
  // by on_connected()) and checks for timed-out jobs every 30 s.
  DeviceMqtt(control::ControlPlane& control, control::Notifier& notifier, const base::Clock& clock,
             wire::MqttClient& client);
  DeviceMqtt(const DeviceMqtt&) = delete;
  DeviceMqtt& operator=(const DeviceMqtt&) = delete;
  ~DeviceMqtt();

  // From MqttConnectionHandler with connected = true; does not block.
  void on_connected();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::api
