// SPDX-License-Identifier: Apache-2.0
// arn:andon:states:::job:run.sync: a command in a sandbox on the server's machine. What it needs is
// put into its directory, what it has made is stored as objects when it has succeeded. A repeated
// call finds the job that it made. Stopping the execution ends it.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "api/tasks/job_parameters.hpp"
#include "api/tasks/task_roles.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/jobs/job_place.hpp"
#include "workflow/jobs/job_runner.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class JobTask final : public workflow::Integration {
 public:
  JobTask(workflow::JobRunner& runner, store::ObjectStore& objects, const TaskRoles& roles,
          workflow::JobPolicy policy)
      : runner_(runner), objects_(objects), roles_(roles), policy_(std::move(policy)) {}

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;
  // What was ordered before a crash was allowed then.
  void resume(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override {
    order(read(task), reply);
  }
  void cancel(const workflow::TaskRequest& task) override;

 private:
  [[nodiscard]] JobParameters read(const workflow::TaskRequest& task) const;
  void order(JobParameters parameters, const workflow::TaskReply& reply);
  // andon:RunJob, s3:GetObject on each input and s3:PutObject on each output.
  void require(const Caller& caller, const JobParameters& job) const;

  workflow::JobRunner& runner_;
  store::ObjectStore& objects_;
  const TaskRoles& roles_;
  const workflow::JobPolicy policy_;
};

// GET /andon/v1/jobs/{jobId}/log?from=N: {"jobId", "from", "next", "text", "ended"}.
[[nodiscard]] std::vector<Operation> job_operations(const workflow::JobRunner& runner);

}  // namespace andon::api
