// SPDX-License-Identifier: Apache-2.0
// Looks up what a component's configuration allows it to do over IPC. Main thread only.
#pragma once

#include <string>
#include <string_view>

#include "edge/configuration/configuration_store.hpp"
#include "edge/run/component_host.hpp"

namespace andon::edge {

// Who is let in at the control socket: no component has such a name, and no policy binds it.
inline constexpr std::string_view kLocalOperator = "$operator";

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
