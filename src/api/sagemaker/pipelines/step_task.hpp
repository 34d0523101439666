// SPDX-License-Identifier: Apache-2.0
// What a step of a pipeline does: the tasks of the state machine that the pipeline has become. A
// Processing or Training step makes its job and waits for its end, RegisterModel makes the package
// (and its group), Condition gives an outcome, Fail fails. Everything is called as the pipeline's
// role; names and tokens follow from the task, so that a repeated one finds what it has made.
#pragma once

#include <atomic>
#include <string>

#include "api/table/internal_call.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/modeljobs/model_jobs.hpp"
#include "workflow/pipelines/pipelines.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class StepTask final : public workflow::Integration {
 public:
  StepTask(const InternalCalls& calls, const store::ObjectStore& objects, const base::Clock& clock)
      : calls_(calls), objects_(objects), clock_(clock) {}
  // Before the engine runs.
  void set_pipelines(workflow::Pipelines& pipelines, workflow::ModelJobs& jobs) {
    pipelines_ = &pipelines;
    jobs_ = &jobs;
  }

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;
  void cancel(const workflow::TaskRequest& task) override;

 private:
  struct Work;
  void begin(const Work& work, const workflow::TaskReply& reply);
  void run_job(const Work& work, workflow::ModelJobKind kind, const workflow::TaskReply& reply);
  void job_ended(const Work& work, const workflow::ModelJob& job,
                 const workflow::TaskReply& reply) const;
  void register_model(const Work& work, const workflow::TaskReply& reply);
  void decide(const Work& work, const workflow::TaskReply& reply);
  [[nodiscard]] workflow::json::value property_file(const Work& work, const std::string& step,
                                                    const std::string& file) const;

  const InternalCalls& calls_;
  const store::ObjectStore& objects_;
  const base::Clock& clock_;
  workflow::Pipelines* pipelines_ = nullptr;
  workflow::ModelJobs* jobs_ = nullptr;
};

}  // namespace andon::api
