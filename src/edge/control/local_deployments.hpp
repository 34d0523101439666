// SPDX-License-Identifier: Apache-2.0
// Room: control. How the device is told what to do by somebody at it: local deployments, the socket
// of the command line, what that prints; what a person wants to know when something is wrong.
// Local deployments as they wait, are carried out and are remembered, in config.db. One at a time
// goes to the engine, when that has nothing else; what is in hand goes on after a crash as every
// deployment does. Owned by the agent; main thread only, the disk is the state writer's.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "edge/deploy/deployment_engine.hpp"
#include "edge/state/state_writer.hpp"

namespace andon::edge {

class LocalDeployments {
 public:
  LocalDeployments(StateWriter& writer, DeploymentEngine& engine, const base::Clock& clock)
      : writer_(writer), engine_(engine), clock_(clock) {}
  LocalDeployments(const LocalDeployments&) = delete;
  LocalDeployments& operator=(const LocalDeployments&) = delete;
  ~LocalDeployments() { *alive_ = false; }

  // Each `done` is called once what was asked for is durable, or gets why it is not.
  using IdDone = std::function<void(const std::string& id, std::exception_ptr)>;
  // As CreateLocalDeployment has it. invalid_argument; resource_exhausted where too many wait.
  void create(const json::object& request, IdDone done);
  using Done = std::function<void(json::object, std::exception_ptr)>;
  // {"localDeployments": [...]}, the newest first.
  void list(Done done);
  // {"deployment": {...}}; not_found.
  void find(const std::string& id, Done done);
  // {"message": ...}; not_found, failed_precondition where it is over or too late.
  void cancel(const std::string& id, Done done);

  // Offers the next that waits, if there is one and nothing is in hand.
  void go_on();

  // What became of the job, inside the transaction that makes it true; on any thread.
  static void record(store::Transaction& transaction, const std::string& job_id,
                     const fleet::DeploymentOutcome& outcome);

  static constexpr std::int64_t kMostWaiting = 10;
  static constexpr std::int64_t kKept = 50;

 private:
  StateWriter& writer_;
  DeploymentEngine& engine_;
  const base::Clock& clock_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
