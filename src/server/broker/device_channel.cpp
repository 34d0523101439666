// SPDX-License-Identifier: Apache-2.0
#include "server/broker/device_channel.hpp"

#include <utility>

#include "api/device/broker_refusals.hpp"
#include "base/log/log.hpp"
#include "broker/access/refusal_report.hpp"
#include "fleet/names/topic.hpp"

namespace andon::server {

DeviceChannel::DeviceChannel(wire::MqttOptions options, Parts parts)
    : notifier_(parts.notifier),
      rules_(parts.rules),
      client_(std::move(options), [this](bool connected, std::string_view reason) {
        on_connection(connected, reason);
      }) {
  notifier_.set_client(&client_);
  refusals_ = client_.subscribe(
      std::string(broker::kRefusalsTopic), wire::Qos::at_least_once,
      [&audit = parts.audit, &clock = parts.clock](const wire::MqttMessage& message) {
        for (auto& event : api::read_broker_refusals(message.payload, clock.now())) {
          audit.note_refusal(std::move(event));
        }
      });
  client_.subscribe("andon/broker/counters", wire::Qos::at_least_once,
                    [this](const wire::MqttMessage& message) { counters_.take(message.payload); });
  commands_ = client_.subscribe(fleet::command_answers_filter(), wire::Qos::at_least_once,
                                [&commands = parts.commands](const wire::MqttMessage& message) {
                                  commands.take(message.topic, message.payload);
                                });
  rules_.run(client_);
  auto devices = std::make_unique<api::DeviceMqtt>(parts.control, parts.results, notifier_,
                                                   parts.clock, client_, std::move(parts.addresses),
                                                   std::move(parts.progressed));
  auto provisioning = std::make_unique<api::ProvisioningMqtt>(parts.control, notifier_, parts.audit,
                                                              std::move(parts.hook), client_);
  const std::lock_guard lock(mutex_);
  devices_ = std::move(devices);
  provisioning_ = std::move(provisioning);
}

DeviceChannel::~DeviceChannel() {
  rules_.stop();
  notifier_.set_client(nullptr);
  client_.unsubscribe(refusals_);
  client_.unsubscribe(commands_);
  std::unique_ptr<api::DeviceMqtt> devices;
  std::unique_ptr<api::ProvisioningMqtt> provisioning;
  {
    const std::lock_guard lock(mutex_);
    devices = std::move(devices_);
    provisioning = std::move(provisioning_);
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
