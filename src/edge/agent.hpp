// SPDX-License-Identifier: Apache-2.0
// The device agent: all of its parts, put together, on one event loop. Made by main on the main
// thread; one per root directory (a lock sees to that). After a crash of any kind, making it again
// on the same root goes on where the journal says.
#pragma once

#include <functional>
#include <memory>

#include "edge/artifact_fetcher.hpp"
#include "edge/deployment_state.hpp"
#include "edge/layout.hpp"
#include "edge/publish_spool.hpp"

namespace andon::edge {

struct AgentOptions {
  fs::path root;
  FetchLimits fetch;
  SpoolLimits spool;
  // Each state of a deployment once it is journalled; for tests that kill the agent there.
  std::function<void(DeploymentState)> on_journalled;
};

class Agent {
 public:
  // Throws failed_precondition where the device is not provisioned or another agent runs on the
  // root. Blocks SIGTERM and SIGINT, so make it before other threads are started.
  explicit Agent(AgentOptions options);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent();

  // Until SIGTERM or SIGINT, which stops the components in order first.
  void run();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::edge
