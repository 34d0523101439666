// SPDX-License-Identifier: Apache-2.0
// All that this device does for client devices beside IPDetector: the broker, the bridge, and the
// IPC operations, put together. Owned by the agent; main thread only. Costs next to nothing while
// none of their components is in the set.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "edge/clients/client_broker.hpp"
#include "edge/clients/client_operations.hpp"
#include "edge/clients/mqtt_bridge.hpp"
#include "edge/run/component_note.hpp"

namespace andon::edge {

class ClientDevices {
 public:
  struct Parts {
    EventLoop& loop;
    const DeviceConfig& device;
    const Layout& layout;
    const base::Clock& clock;    // the server's time
    std::string component_user;  // of components for which nobody names one
    const AccessPolicy& policy;
    MqttLink& cloud;
    PublishSpool& spool;
    RefusedTopics& refused;
    const MqttOperations& mqtt;
    PubsubOperations& pubsub;
    // A component's configuration; null where it is not in the set.
    std::function<const json::object*(std::string_view component)> configuration;
    std::function<void(std::string_view component, ComponentNote note)> note;
    // As ClientBroker has them.
    std::function<void(const std::string& component)> let_start;
    std::function<bool(const std::string& component)> is_up;
    std::function<void(const std::string& component)> restart;
  };
  explicit ClientDevices(Parts parts);

  void add_to(IpcOperations& operations) { operations_.add_to(operations); }
  // The set or a configuration may have changed.
  void refresh();
  // Is it about one of its components?
  [[nodiscard]] static bool is_about(std::string_view component);
  void connection_changed(bool is_connected) { broker_.connection_changed(is_connected); }
  [[nodiscard]] bool may_start(const std::string& component) {
    return broker_.may_start(component);
  }
  void check_start(const std::string& component) { broker_.check_start(component); }

 private:
  ClientBroker broker_;
  MqttBridge bridge_;  // uses the broker's connection to its end
  ClientOperations operations_;
};

}  // namespace andon::edge
