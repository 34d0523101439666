// SPDX-License-Identifier: Apache-2.0
// The device agent: all of its parts, put together, on one event loop. Made by main on the main
// thread; one per root directory (a lock sees to that). After a crash of any kind, making it again
// on the same root goes on where the journal says.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/os/service_manager.hpp"
#include "edge/artifacts/artifact_fetcher.hpp"
#include "edge/cloud/publish_spool.hpp"
#include "edge/commands/command_work.hpp"
#include "edge/images/image_store.hpp"
#include "edge/run/component_host.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

struct AgentOptions {
  fs::path root;
  FetchLimits fetch;
  ImageSettings images;
  std::uint64_t download_bytes_per_second = 0;  // of all downloads together; 0: no cap
  SpoolLimits spool;
  ComponentDefaults components;
  base::ServiceManager service;  // told when the agent is ready, and that its loop turns
  // Who may deploy, stop and restart at the device beside root.
  std::optional<gid_t> control_group;
  RemoteHands remote_hands;
  // How the device is restarted where a component's bootstrap step asks for it; for /bin/sh.
  std::string reboot_command = "/sbin/reboot";
  // Each of DeploymentEngine::steps() once it is journalled; for tests that kill the agent there.
  std::function<void(std::string_view)> on_journalled;
};

class Agent {
 public:
  // Throws failed_precondition where the device is not provisioned or another agent runs on the
  // root. Blocks SIGTERM and SIGINT, so make it before other threads are started.
  explicit Agent(AgentOptions options);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent();

  enum class End {
    stopped,  // by SIGTERM, SIGINT or SIGUSR1
    restart,  // a bootstrap step wants the agent, or the device, to start anew
  };
  // Until its end, before which the components are stopped in order; but for SIGUSR1 and a restart
  // of the agent, over which their services go on, for the next agent to take them up. Where the
  // device is to be restarted, that has been tried when this returns.
  [[nodiscard]] End run();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::edge
