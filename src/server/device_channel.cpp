// SPDX-License-Identifier: Apache-2.0
#include "server/device_channel.hpp"

#include <utility>

#include "base/log.hpp"

namespace andon::server {

DeviceChannel::DeviceChannel(wire::MqttOptions options, control::ControlPlane& control,
                             api::MqttNotifier& notifier, const base::Clock& clock)
    : notifier_(notifier),
      client_(std::move(options), [this](bool connected, std::string_view reason) {
        on_connection(connected, reason);
      }) {
  notifier_.set_client(&client_);
  auto devices = std::make_unique<api::DeviceMqtt>(control, notifier, clock, client_);
  const std::lock_guard lock(mutex_);
  devices_ = std::move(devices);
}

DeviceChannel::~DeviceChannel() {
  notifier_.set_client(nullptr);
  std::unique_ptr<api::DeviceMqtt> devices;
  {
    const std::lock_guard lock(mutex_);
    devices = std::move(devices_);
    ending_ = true;
  }
}

void DeviceChannel::on_connection(bool connected, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  if (connected) {
    base::log_debug("connected to the MQTT broker");
    if (devices_) devices_->on_connected();
  } else if (!ending_) {
    base::log_warning("no connection to the MQTT broker", {{"reason", reason}});
  }
}

}  // namespace andon::server
