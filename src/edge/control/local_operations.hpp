// SPDX-License-Identifier: Apache-2.0
// IPC operations of aws.greengrass.Cli on local deployments: CreateLocalDeployment,
// GetLocalDeploymentStatus, ListLocalDeployments, CancelLocalDeployment. For components that
// accessControl allows it, and for who is let in at the control socket. Owned by the agent; main
// thread only.
#pragma once

#include "edge/control/local_deployments.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class LocalOperations {
 public:
  LocalOperations(const AccessPolicy& policy, LocalDeployments& deployments)
      : policy_(policy), deployments_(deployments) {}
  LocalOperations(const LocalOperations&) = delete;
  LocalOperations& operator=(const LocalOperations&) = delete;
  ~LocalOperations() = default;

  void add_to(IpcOperations& operations);

 private:
  void require(const IpcCall& call, std::string_view resource) const;

  const AccessPolicy& policy_;
  LocalDeployments& deployments_;
};

}  // namespace andon::edge
