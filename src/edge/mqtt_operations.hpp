// SPDX-License-Identifier: Apache-2.0
// IPC operations that reach the broker: PublishToIoTCore and SubscribeToIoTCore. QoS 1 goes through
// the spool: the component is answered when the message is on the disk. Owned by the agent; main
// thread only.
#pragma once

#include "edge/access_policy.hpp"
#include "edge/ipc_call.hpp"
#include "edge/mqtt_link.hpp"
#include "edge/publish_spool.hpp"

namespace andon::edge {

class MqttOperations {
 public:
  MqttOperations(const AccessPolicy& policy, MqttLink& link, PublishSpool& spool)
      : policy_(policy), link_(link), spool_(spool) {}
  MqttOperations(const MqttOperations&) = delete;
  MqttOperations& operator=(const MqttOperations&) = delete;
  ~MqttOperations() { *alive_ = false; }

  void add_to(IpcOperations& operations);

 private:
  [[nodiscard]] json::object publish(const IpcCall& call);
  [[nodiscard]] json::object subscribe(const IpcCall& call);

  const AccessPolicy& policy_;
  MqttLink& link_;
  PublishSpool& spool_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
