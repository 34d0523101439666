// SPDX-License-Identifier: Apache-2.0
// Builds, put together: their rows, their jobs, and what tells the event bus of them. Made after
// the bus, which outlives it.
#pragma once

#include <vector>

#include "api/builds/codebuild.hpp"
#include "server/options/server_options.hpp"
#include "server/services/event_bus.hpp"
#include "server/start/ports.hpp"

namespace andon::server {

class BuildSite {
 public:
  struct Parts {
    store::Database& database;
    store::ObjectStore& objects;
    const control::Iam& iam;
    const api::InternalCalls& calls;
    const api::Authorizer& authorizer;
    EventBus& events;
    workflow::JobRunner& jobs;
    workflow::JobPolicy policy;
    const fleet::Arns& arns;
    const base::Clock& clock;
    const ServerOptions& options;
    const Ports& ports;
    base::fs::path data;
    std::string ca_pem;
  };
  // All that is referred to outlives this.
  explicit BuildSite(const Parts& parts);

  [[nodiscard]] api::BuildRunner& runner() { return runner_; }
  [[nodiscard]] std::vector<api::Operation> operations();

 private:
  const api::Authorizer& authorizer_;
  const fleet::Arns& arns_;
  builds::Builds builds_;
  api::BuildRunner runner_;
};

}  // namespace andon::server
