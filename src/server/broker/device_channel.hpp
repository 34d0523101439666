// SPDX-License-Identifier: Apache-2.0
// The server's own connection to its broker, and upon it the MQTT side of the device plane. Owned
// by the server; any thread may ask. Ends in the one order that is safe: first nobody publishes
// any more, then nobody listens, then the connection goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "api/device/device_mqtt.hpp"
#include "api/device/provisioning/provisioning_mqtt.hpp"
#include "api/topicrules/rule_feed.hpp"
#include "base/time/time.hpp"
#include "control/audit/audit_log.hpp"
#include "control/commands/commands.hpp"
#include "control/control_plane.hpp"
#include "server/broker/broker_counters.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::server {

class DeviceChannel {
 public:
  // What is referred to must outlive the channel.
  struct Parts {
    control::ControlPlane& control;
    control::ResultIntake& results;
    control::Commands& commands;
    api::MqttNotifier& notifier;
    const base::Clock& clock;
    control::AuditLog& audit;
    api::RuleFeed& rules;
    control::AskHook hook;  // asks the function of a provisioning template
    std::optional<fleet::ServerAddresses> addresses;  // told to devices
    std::function<void()> progressed;  // a device has got on with a job; must not block
  };
  DeviceChannel(wire::MqttOptions options, Parts parts);
  DeviceChannel(const DeviceChannel&) = delete;
  DeviceChannel& operator=(const DeviceChannel&) = delete;
  ~DeviceChannel();

  [[nodiscard]] bool is_connected() const { return client_.is_connected(); }
  [[nodiscard]] BrokerCounters::Values broker_counters() const { return counters_.values(); }

 private:
  void on_connection(bool connected, std::string_view reason);  // on the network thread

  api::MqttNotifier& notifier_;
  api::RuleFeed& rules_;
  std::mutex mutex_;
  std::unique_ptr<api::DeviceMqtt> devices_;             // guarded by mutex_; made last, gone first
  std::unique_ptr<api::ProvisioningMqtt> provisioning_;  // the same
  bool ending_ = false;                                  // guarded by mutex_
  BrokerCounters counters_;
  wire::MqttClient client_;
  std::uint64_t refusals_ = 0;  // subscriptions
  std::uint64_t commands_ = 0;
};

}  // namespace andon::server
