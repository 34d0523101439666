// SPDX-License-Identifier: Apache-2.0
// Looks up what a component's configuration allows it to do over IPC. Main thread only.
#pragma once

#include <string>
#include <string_view>

#include "edge/component_host.hpp"
#include "edge/configuration_store.hpp"

namespace andon::edge {

struct AccessRequest {
  std::string_view service;    // "aws.greengrass.ipc.mqttproxy"
  std::string_view operation;  // "aws.greengrass#PublishToIoTCore"
  std::string_view resource;   // a topic, a filter, a component
};

class AccessPolicy {
 public:
  AccessPolicy(const ConfigurationStore& configurations, const AgentHost& host)
      : configurations_(configurations), host_(host) {}

  // Throws IpcError(UnauthorizedError) that says which policy is missing.
  void require(const std::string& component, const AccessRequest& request) const;

 private:
  const ConfigurationStore& configurations_;
  const AgentHost& host_;
};

}  // namespace andon::edge
