// SPDX-License-Identifier: Apache-2.0
// SageMaker's jobs and pipelines, put together: what runs them, what their roles may, the
// operations. Made after the engine of the workflows, which runs the pipelines' state machines.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "control/models/model_registry.hpp"
#include "features/features.hpp"
#include "server/services/workflow_tasks.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/modeljobs/model_jobs.hpp"
#include "workflow/pipelines/pipelines.hpp"

namespace andon::server {

class SageMakerService {
 public:
  struct Parts {
    store::Database& database;
    workflow::Workflow& workflow;
    WorkflowTasks& tasks;
    store::ObjectStore& objects;
    control::ModelRegistry& registry;
    const features::Features& features;
    const api::InternalCalls& calls;
    const api::Authorizer& authorizer;
    const base::Clock& clock;
    workflow::JobPolicy policy;
    base::fs::path images;
    std::chrono::hours retention;
  };
  // All that is referred to outlives this.
  explicit SageMakerService(Parts parts);

  // Before the engine runs: steps of pipelines learn of the jobs.
  void join();
  // Whether one of its jobs is wanted still.
  [[nodiscard]] workflow::JobRunner::Standing standing(const job::JobOrder& order) {
    return jobs_.standing(order);
  }
  // When it runs.
  void run();
  void sweep();
  [[nodiscard]] std::vector<api::Operation> operations();

 private:
  [[nodiscard]] bool is_there(const std::string& arn);

  Parts parts_;
  workflow::ModelJobs jobs_;
  workflow::Pipelines pipelines_;
};

}  // namespace andon::server
