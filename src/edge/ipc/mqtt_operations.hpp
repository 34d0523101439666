// SPDX-License-Identifier: Apache-2.0
// IPC operations that reach the broker: PublishToIoTCore and SubscribeToIoTCore, and
// SubscribeToIoTCoreConnectionStatus, which tells whether there is a connection. QoS 1 goes through
// the spool: the component is answered when the message is on the disk; where the broker is known
// to refuse the topic, it is told at once. Owned by the agent; main thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "edge/cloud/mqtt_link.hpp"
#include "edge/cloud/publish_spool.hpp"
#include "edge/cloud/refused_topics.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class MqttOperations {
 public:
  MqttOperations(const AccessPolicy& policy, MqttLink& link, PublishSpool& spool,
                 RefusedTopics& refused)
      : policy_(policy), link_(link), spool_(spool), refused_(refused) {
    link_.on_connection([this, alive = alive_](bool) {
      if (*alive) tell_connection();
    });
  }
  MqttOperations(const MqttOperations&) = delete;
  MqttOperations& operator=(const MqttOperations&) = delete;
  ~MqttOperations() { *alive_ = false; }

  void add_to(IpcOperations& operations);
  // Throws IpcError(UnauthorizedError) where the component may not publish to the topic.
  void require_publish(const std::string& component, const std::string& topic) const;
  // The same for what needs no policy: some topics no component publishes to.
  void require_open(const std::string& topic) const;

 private:
  void publish(const IpcCall& call, IpcReply reply);
  [[nodiscard]] json::object subscribe(const IpcCall& call);
  void watch_connection(const IpcCall& call, const IpcReply& reply);
  void tell_connection();
  [[nodiscard]] json::object connection_event() const;

  const AccessPolicy& policy_;
  MqttLink& link_;
  PublishSpool& spool_;
  RefusedTopics& refused_;
  using Watchers = std::map<std::uint64_t, std::weak_ptr<IpcStream>>;
  std::shared_ptr<Watchers> watchers_ = std::make_shared<Watchers>();
  std::uint64_t next_watcher_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
