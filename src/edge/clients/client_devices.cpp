// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/client_devices.hpp"

#include "edge/clients/ip_detector.hpp"
#include "edge/cloud/data_plane.hpp"

namespace andon::edge {

ClientDevices::ClientDevices(Parts parts)
    : broker_({parts.loop, parts.layout, parts.clock, parts.component_user, parts.configuration,
               [&device = parts.device, &layout = parts.layout](const std::string& known) {
                 return DataPlane(device, layout).client_devices(known);
               },
               [&device = parts.device,
                &layout = parts.layout](const std::vector<std::string>& authorities) {
                 DataPlane(device, layout).tell_authorities(authorities);
               },
               [] { return own_addresses({}); },
               [&loop = parts.loop](const wire::MqttOptions& options) {
                 return make_mqtt_link(loop, options);
               },
               parts.let_start, parts.is_up, parts.restart, parts.note,
               [this](MqttLink* link) { bridge_.set_local(link); },
               [this] { operations_.certificate_is_due(); }}),
      bridge_({parts.loop, parts.cloud, parts.spool, parts.refused, parts.mqtt, parts.pubsub,
               parts.device.thing_name,
               [configuration = parts.configuration] { return configuration(kMqttBridge); },
               [note = parts.note](ComponentNote told) { note(kMqttBridge, std::move(told)); }}),
      operations_(parts.policy, broker_, parts.clock) {}

void ClientDevices::refresh() {
  broker_.refresh();
  bridge_.refresh();
}

bool ClientDevices::is_about(std::string_view component) {
  return component == kClientAuth || component == kMoquette || component == kEmqx ||
         component == kMqttBridge;
}

}  // namespace andon::edge
