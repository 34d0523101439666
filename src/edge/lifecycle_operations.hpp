// SPDX-License-Identifier: Apache-2.0
// IPC operations on components themselves: UpdateState, and for those that accessControl allows it
// (aws.greengrass.Cli) ListComponents, GetComponentDetails and RestartComponent. Owned by the
// agent; main thread only.
#pragma once

#include "edge/access_policy.hpp"
#include "edge/configuration_store.hpp"
#include "edge/ipc_call.hpp"
#include "edge/supervisor.hpp"

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
  [[nodiscard]] json::object describe(const Component& component) const;
  [[nodiscard]] std::string require_named(const IpcCall& call) const;

  const AccessPolicy& policy_;
  Supervisor& supervisor_;
  const ConfigurationStore& configurations_;
};

}  // namespace andon::edge
