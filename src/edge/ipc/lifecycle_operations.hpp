// SPDX-License-Identifier: Apache-2.0
// IPC operations on components themselves: UpdateState, and for those that accessControl allows it
// (aws.greengrass.Cli) ListComponents, GetComponentDetails, RestartComponent and StopComponent;
// CreateDebugPassword is refused by name. PauseComponent and ResumeComponent where
// aws.greengrass.ipc.lifecycle allows them. Owned by the agent; main thread only.
#pragma once

#include "edge/configuration/configuration_store.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/ipc_call.hpp"
#include "edge/run/supervisor.hpp"

namespace andon::edge {

class LifecycleOperations {
 public:
  LifecycleOperations(const AccessPolicy& policy, Supervisor& supervisor,
                      const ConfigurationStore& configurations)
      : policy_(policy), supervisor_(supervisor), configurations_(configurations) {}
  LifecycleOperations(const LifecycleOperations&) = delete;
  LifecycleOperations& operator=(const LifecycleOperations&) = delete;
  ~LifecycleOperations() = default;

  void add_to(IpcOperations& operations);

 private:
  [[nodiscard]] json::object update_state(const IpcCall& call);
  [[nodiscard]] json::object list(const IpcCall& call) const;
  [[nodiscard]] json::object details(const IpcCall& call) const;
  [[nodiscard]] json::object restart(const IpcCall& call);
  [[nodiscard]] json::object stop(const IpcCall& call);
  [[nodiscard]] json::object pause_or_resume(const IpcCall& call);
  [[nodiscard]] json::object describe(const Component& component) const;
  [[nodiscard]] std::string require_named(const IpcCall& call) const;

  const AccessPolicy& policy_;
  Supervisor& supervisor_;
  const ConfigurationStore& configurations_;
};

}  // namespace andon::edge
