// SPDX-License-Identifier: Apache-2.0
// Room: services. What the server's object graph is given in one piece each: what follows a task,
// an event, a job's line, SageMaker's calls. What state machines can call here: the integrations of
// the workflow engine, put together. Made before the engine, which it is then given.
#pragma once

#include <memory>

#include "api/builds/build_task.hpp"
#include "api/endpoints/http_task.hpp"
#include "api/router.hpp"
#include "api/sagemaker/pipelines/step_task.hpp"
#include "api/tasks/job_task.hpp"
#include "api/tasks/lambda_task.hpp"
#include "api/tasks/object_task.hpp"
#include "api/tasks/task_roles.hpp"
#include "control/control_plane.hpp"
#include "functions/functions.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/engine/nested.hpp"
#include "workflow/engine/workflow.hpp"

namespace andon::server {

class WorkflowTasks {
 public:
  struct Jobs {
    workflow::JobRunnerOptions runner;
    workflow::JobPolicy policy;
  };
  struct Parts {
    control::ControlPlane& control;
    store::ObjectStore& objects;
    const control::Connections& connections;
    functions::Functions& functions;
    Jobs jobs;
    const api::TaskRoles& roles;
    api::HttpTask::Options http;
    const api::InternalCalls& calls;
    const base::Clock& clock;
  };
  // All that is referred to outlives this.
  explicit WorkflowTasks(Parts parts);
  // Before it runs: jobs that an earlier program has left running are looked for. `model_jobs`
  // knows whether a job of SageMaker's is wanted still.
  void set_engine(workflow::Workflow& workflow, api::BuildRunner& builds,
                  workflow::JobRunner::Ask model_jobs);

  [[nodiscard]] const workflow::Integrations& integrations() const { return integrations_; }
  [[nodiscard]] workflow::MapStore& map_store() { return map_store_; }
  [[nodiscard]] workflow::JobRunner& jobs() { return jobs_; }
  // What the steps of pipelines do.
  [[nodiscard]] api::StepTask& steps() { return *steps_; }
  // Calls of HTTP endpoints, for whoever else makes some.
  [[nodiscard]] api::HttpTask& http() { return *http_; }

 private:
  workflow::Workflow* workflow_ = nullptr;
  std::shared_ptr<workflow::NestedExecutions> nested_;
  std::shared_ptr<api::HttpTask> http_;
  std::shared_ptr<api::StepTask> steps_;
  std::shared_ptr<api::BuildTask> builds_;
  workflow::Integrations integrations_;
  api::ObjectMapStore map_store_;
  workflow::JobRunner jobs_;
};

}  // namespace andon::server
