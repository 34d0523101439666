// SPDX-License-Identifier: Apache-2.0
// Fleet provisioning's place at the broker: takes questions from the network thread into a bounded
// queue with shares (provisioning_queue.hpp), which a few threads work off, for a hook may take its
// time. Where there is no room the newcomer is dropped; devices ask again.
#pragma once

#include <memory>

#include "control/audit/audit_log.hpp"
#include "control/control_plane.hpp"
#include "control/provisioning/provisioner.hpp"
#include "control/shared/notifier.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::api {

class ProvisioningMqtt {
 public:
  // All but `hook` must outlive it.
  ProvisioningMqtt(control::ControlPlane& control, control::Notifier& notifier,
                   control::AuditLog& audit, control::AskHook hook, wire::MqttClient& client);
  ProvisioningMqtt(const ProvisioningMqtt&) = delete;
  ProvisioningMqtt& operator=(const ProvisioningMqtt&) = delete;
  // Finishes the questions in hand.
  ~ProvisioningMqtt();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::api
