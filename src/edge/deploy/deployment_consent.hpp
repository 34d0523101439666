// SPDX-License-Identifier: Apache-2.0
// What the components that run have to say to a deployment before anything changes: those that keep
// running with another configuration, whether they can use it; then all that listen, whether now
// is a good moment. Owned by the engine; main thread only. After a crash both are asked again.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "edge/configuration/configuration_store.hpp"
#include "edge/consent/update_operations.hpp"
#include "edge/run/component_host.hpp"
#include "edge/run/supervisor.hpp"
#include "edge/state/installed_set.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace andon::edge {

class DeploymentConsent {
 public:
  struct Parts {
    UpdateOperations& updates;
    AgentHost& host;
    const Supervisor& supervisor;
    const ConfigurationStore& configurations;
  };
  explicit DeploymentConsent(Parts parts) : parts_(parts) {}
  DeploymentConsent(const DeploymentConsent&) = delete;
  DeploymentConsent& operator=(const DeploymentConsent&) = delete;
  ~DeploymentConsent() = default;

  // `done` gets nothing when the plan may be carried out, else what report_of() understands. It is
  // called once, perhaps at once; not after give_up().
  void ask(const recipe::DeploymentDocument& document, const InstalledSet& plan,
           std::function<void(std::exception_ptr)> done);
  void give_up();
  // The deployment is over, well or not: those that were told of it hear so.
  void ended();

  [[nodiscard]] bool asking() const { return static_cast<bool>(done_); }
  // For whom it waits, and until when; empty while it does not ask.
  [[nodiscard]] std::string waits_for() const { return asking() ? parts_.updates.waits_for() : ""; }

 private:
  // What is new to components that go on running, as they would see it.
  [[nodiscard]] std::map<std::string, json::object> changes(
      const recipe::DeploymentDocument& document, const InstalledSet& plan) const;
  void announce(const recipe::DeploymentDocument& document, UpdateOperations::Restart restart);
  void finish(std::exception_ptr error);

  Parts parts_;
  std::function<void(std::exception_ptr)> done_;
  std::string told_;  // the deployment that components were told of
};

}  // namespace andon::edge
