// SPDX-License-Identifier: Apache-2.0
// The server's own connection to its broker, and upon it the MQTT side of the device plane. Owned
// by the server; any thread may ask. Ends in the one order that is safe: first nobody publishes
// any more, then nobody listens, then the connection goes.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "api/device_mqtt.hpp"
#include "base/time.hpp"
#include "control/control_plane.hpp"
#include "wire/mqtt_client.hpp"

namespace andon::server {

class DeviceChannel {
 public:
  // All but `options` are kept by reference and must outlive it.
  DeviceChannel(wire::MqttOptions options, control::ControlPlane& control,
                api::MqttNotifier& notifier, const base::Clock& clock);
  DeviceChannel(const DeviceChannel&) = delete;
  DeviceChannel& operator=(const DeviceChannel&) = delete;
  ~DeviceChannel();

  [[nodiscard]] bool is_connected() const { return client_.is_connected(); }

 private:
  void on_connection(bool connected, std::string_view reason);  // on the network thread

  api::MqttNotifier& notifier_;
  std::mutex mutex_;
  std::unique_ptr<api::DeviceMqtt> devices_;  // guarded by mutex_; made last, gone first
  bool ending_ = false;                       // guarded by mutex_
  wire::MqttClient client_;
};

}  // namespace andon::server
