// SPDX-License-Identifier: Apache-2.0
// Pipelines: made into state machines, started as their executions, looked at, stopped, tried
// again. What a step does is done by who runs the tasks of those machines
// (api/sagemaker/pipelines); where each step stands is written here. An execution is in its table
// before its machine is started, so that a crash between the two starts it later; what has ended
// without being written so is settled when it is looked at, and at the start. Made once; any
// thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workflow/engine/workflow.hpp"
#include "workflow/modeljobs/model_jobs.hpp"
#include "workflow/pipelines/definition.hpp"
#include "workflow/pipelines/pipeline_table.hpp"

namespace andon::workflow {

class Pipelines {
 public:
  // Brings the schema up to date. All outlive this.
  Pipelines(store::Database& database, Workflow& workflow, ModelJobs& jobs,
            const base::Clock& clock);

  // Takes up what an earlier program has left. Once, when workflow and jobs run.
  void run();

  // Throws base::Error: invalid_argument, unsupported, already_exists, conflict. The same token and
  // definition again is the same pipeline.
  void create(Pipeline pipeline);
  struct Update {
    std::optional<std::string> display_name;
    std::optional<std::string> description;
    std::optional<std::string> role;
    std::optional<std::string> definition;
    std::optional<std::size_t> most_at_once;
  };
  void update(const std::string& name, const Update& update);  // not_found
  [[nodiscard]] std::optional<Pipeline> find(const std::string& name) const {
    return table_.find(name);
  }
  // not_found; conflict while it runs.
  void remove(const std::string& name);
  [[nodiscard]] Listed<Pipeline> list(const PipelineFilter& filter, const PageOf& page) const {
    return table_.list(filter, page);
  }

  struct Start {
    std::string pipeline;
    std::string display_name;
    std::string description;
    json::array parameters;  // [{"Name", "Value"}]
    std::string client_token;
  };
  // Told once, perhaps on a thread of the engine: the execution's id.
  using Told = std::function<void(const std::string& id, const std::exception_ptr&)>;
  void start(const Start& start, const Told& told);
  // Told when it is on its way.
  void stop(const std::string& id, const Told& told);
  // conflict unless it has failed or was stopped.
  void retry(const std::string& id, const std::string& token, const Told& told);

  // As it stands now.
  [[nodiscard]] std::optional<PipelineExecution> find_execution(const std::string& id);
  [[nodiscard]] Listed<PipelineExecution> list_executions(const std::string& pipeline,
                                                          const PipelineFilter& filter,
                                                          const PageOf& page);
  [[nodiscard]] std::vector<StepRecord> steps(const std::string& id) const {
    return table_.steps(id);
  }
  // Of executions that ended before.
  void forget(base::Timestamp before);

  [[nodiscard]] std::string arn(const std::string& name) const;
  [[nodiscard]] std::string execution_arn(const PipelineExecution& execution) const;

  // For who does the steps. The execution of the machine's execution; nothing: it is none of ours.
  [[nodiscard]] std::optional<PipelineExecution> of_machine_execution(
      const std::string& machine_execution) const;
  [[nodiscard]] std::optional<StepRecord> find_step(const std::string& execution,
                                                    const std::string& name) const {
    return table_.find_step(execution, name);
  }
  // The step as it was, where it has succeeded before or the same task is at work already; else it
  // begins, once more.
  StepRecord begin_step(const std::string& execution, const std::string& name,
                        const std::string& task);
  void note_metadata(const std::string& execution, const std::string& name,
                     const json::object& metadata);
  void mark_stopping(const std::string& execution, const std::string& name);
  // The first end of a try counts.
  void end_step(const std::string& execution, const std::string& name, const std::string& status,
                const std::string& reason, const json::object& properties);

 private:
  [[nodiscard]] std::string put_machine(const Pipeline& pipeline, bool is_new);
  [[nodiscard]] PipelineExecution settled(PipelineExecution execution);
  bool settle_steps(const PipelineExecution& execution);
  [[nodiscard]] std::string reason_of(const PipelineExecution& execution,
                                      const Execution& machine) const;
  void start_machine(const PipelineExecution& execution, const Told& told);
  void tell(const Told& told, const std::string& id, const std::exception_ptr& failure);

  Workflow& workflow_;
  ModelJobs& jobs_;
  const base::Clock& clock_;
  PipelineTable table_;
};

// The job that a step's metadata name.
[[nodiscard]] std::optional<std::pair<ModelJobKind, std::string>> job_of_step(
    const StepRecord& step);

}  // namespace andon::workflow
