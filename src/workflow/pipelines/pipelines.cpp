// SPDX-License-Identifier: Apache-2.0
#include "workflow/pipelines/pipelines.hpp"

#include <map>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"
#include "workflow/pipelines/schema.hpp"
#include "workflow/pipelines/translation.hpp"
#include "workflow/shared/refusal.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::workflow {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kMachinePrefix = "sagemaker-";
constexpr std::size_t kMostMachineName = 80;
constexpr std::size_t kIdLength = 12;
constexpr std::string_view kIdAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

store::Database& migrated(store::Database& database) {
  migrate_pipeline_schema(database);
  return database;
}

// A pipeline's name may be longer than a machine's.
std::string machine_name(const std::string& pipeline) {
  std::string name = std::string(kMachinePrefix) + pipeline;
  if (name.size() <= kMostMachineName) return name;
  constexpr std::size_t kKept = 40;
  return name.substr(0, kKept) + "-" + derived_uuid("pipeline " + pipeline);
}

bool is_open(const std::string& status) {
  return status == "Executing" || status == "Stopping" || status == "Starting";
}

[[noreturn]] void no_such(const std::string& what) {
  throw Error(ErrorCode::not_found, what + " does not exist.");
}

// What the engine refuses, in this room's kind of error.
template <typename Work>
auto translated(const Work& work) {
  try {
    return work();
  } catch (const Refusal& refusal) {
    throw Error(ErrorCode::conflict, "the pipeline's state machine: " + refusal.message());
  }
}

std::map<std::string, std::string> given_of(const json::array& parameters) {
  std::map<std::string, std::string> given;
  for (const json::value& one : parameters) {
    const base::JsonReader reader(one, "PipelineParameters");
    if (!given.emplace(reader.required_text("Name"), reader.string("Value")).second) {
      reader.fail("Name", "is there twice");
    }
  }
  return given;
}

std::exception_ptr to_error(const std::exception_ptr& failure) {
  try {
    translated([&failure] { std::rethrow_exception(failure); });
  } catch (...) {
    return std::current_exception();
  }
  return failure;
}

}  // namespace

std::optional<std::pair<ModelJobKind, std::string>> job_of_step(const StepRecord& step) {
  const json::value metadata = step.metadata;
  for (const auto& [member, kind] : {std::pair("TrainingJob", ModelJobKind::training),
                                     std::pair("ProcessingJob", ModelJobKind::processing)}) {
    const json::value* arn = base::find_pointer(metadata, "/" + std::string(member) + "/Arn");
    if (arn == nullptr || !arn->is_string()) continue;
    const std::string text(arn->get_string());
    return std::pair(kind, text.substr(text.rfind('/') + 1));
  }
  return std::nullopt;
}

Pipelines::Pipelines(store::Database& database, Workflow& workflow, ModelJobs& jobs,
                     const base::Clock& clock)
    : workflow_(workflow), jobs_(jobs), clock_(clock), table_(migrated(database)) {}

void Pipelines::run() {
  for (const PipelineExecution& execution : table_.open_executions()) {
    try {
      if (workflow_.executions().find(execution.machine_execution)) {
        (void)settled(execution);
        continue;
      }
      start_machine(execution, [this, id = execution.id](const std::string&,
                                                         const std::exception_ptr& failure) {
        if (!failure) return;
        table_.set_status(id, "Failed", "its state machine could not be started", clock_.now());
      });
    } catch (const std::exception& error) {
      base::log_error("an execution of a pipeline cannot be taken up",
                      {{"execution", execution.id}, {"error", std::string(error.what())}});
    }
  }
}

std::string Pipelines::arn(const std::string& name) const {
  return "arn:aws:sagemaker:" + workflow_.arns().region() + ":" + workflow_.arns().account() +
         ":pipeline/" + name;
}

std::string Pipelines::execution_arn(const PipelineExecution& execution) const {
  return arn(execution.pipeline) + "/execution/" + execution.id;
}

std::string Pipelines::put_machine(const Pipeline& pipeline, bool is_new) {
  const PipelineDefinition definition = parse_pipeline(pipeline.definition);
  const std::string text =
      base::to_text(to_state_machine(definition, pipeline.name, pipeline.most_at_once));
  const std::string machine_arn = workflow_.arns().machine(machine_name(pipeline.name));
  Machines& machines = workflow_.machines();
  if (is_new) {
    try {
      NewMachine machine{.name = machine_name(pipeline.name), .definition = text};
      machine.settings = {.role = pipeline.role,
                          .logging = {{"level", "OFF"}, {"includeExecutionData", false}},
                          .tracing = {{"enabled", false}},
                          .encryption = {{"type", "AWS_OWNED_KEY"}}};
      return machines.create(machine).arn;
    } catch (const Refusal& refusal) {
      if (refusal.code() != "StateMachineAlreadyExists") throw;
      // One that a crash has left of this pipeline is taken; somebody else's is not.
      const json::value other =
          base::parse_json(machines.describe(machine_arn).definition, "a state machine",
                           {.max_bytes = 4U << 20U, .max_depth = 1000});
      const json::value* comment = base::find_pointer(other, "/Comment");
      const bool is_ours =
          comment != nullptr && comment->is_string() &&
          std::string_view(comment->get_string())
              .starts_with("Made of the SageMaker pipeline '" + pipeline.name + "'");
      if (!is_ours) {
        throw Error(ErrorCode::conflict, "there is a state machine " + machine_arn +
                                             " that is not this pipeline's: delete it first");
      }
    }
  }
  MachineUpdate change;
  change.definition = text;
  change.role = pipeline.role;
  machines.update(machine_arn, change);
  return machine_arn;
}

void Pipelines::create(Pipeline pipeline) {
  if (const auto there = table_.find(pipeline.name)) {
    if (there->client_token == pipeline.client_token && there->definition == pipeline.definition) {
      return;
    }
    throw Error(ErrorCode::already_exists,
                "Pipeline names must be unique within an AWS account and region. Pipeline with "
                "name (" +
                    pipeline.name + ") already exists.");
  }
  pipeline.created = clock_.now();
  pipeline.modified = pipeline.created;
  pipeline.machine = translated([&] { return put_machine(pipeline, true); });
  (void)table_.insert(pipeline);
}

void Pipelines::update(const std::string& name, const Update& update) {
  auto pipeline = table_.find(name);
  if (!pipeline) no_such("Pipeline '" + arn(name) + "'");
  if (update.display_name) pipeline->display_name = *update.display_name;
  if (update.description) pipeline->description = *update.description;
  if (update.role) pipeline->role = *update.role;
  if (update.definition) pipeline->definition = *update.definition;
  if (update.most_at_once) pipeline->most_at_once = update.most_at_once;
  pipeline->modified = clock_.now();
  (void)translated([&] { return put_machine(*pipeline, false); });
  table_.update(*pipeline);
}

void Pipelines::remove(const std::string& name) {
  const auto pipeline = table_.find(name);
  if (!pipeline) no_such("Pipeline '" + arn(name) + "'");
  for (const PipelineExecution& execution : table_.open_executions()) {
    if (execution.pipeline == name) (void)settled(execution);
  }
  if (!table_.remove(name)) {
    throw Error(ErrorCode::conflict, "the pipeline '" + name + "' runs: stop its executions first");
  }
  translated([&] { workflow_.delete_machine(pipeline->machine); });
}

void Pipelines::start(const Start& start, const Told& told) {
  const auto pipeline = table_.find(start.pipeline);
  if (!pipeline) no_such("Pipeline '" + arn(start.pipeline) + "'");
  PipelineExecution execution;
  execution.id = base::random_text(kIdLength, kIdAlphabet);
  execution.pipeline = pipeline->name;
  execution.display_name = start.display_name;
  execution.description = start.description;
  execution.role = pipeline->role;
  execution.definition = pipeline->definition;
  execution.client_token = start.client_token;
  execution.parameters = start.parameters;
  execution.values =
      parameter_values(parse_pipeline(pipeline->definition), given_of(start.parameters));
  execution.most_at_once = pipeline->most_at_once;
  execution.machine_execution =
      workflow_.arns().execution(machine_name(pipeline->name), execution.id);
  execution.started = clock_.now();
  execution.modified = execution.started;
  if (execution.display_name.empty()) {
    execution.display_name =
        "execution-" + std::to_string(base::to_epoch_millis(execution.started));
  }
  if (const auto before = table_.insert(execution)) {
    told(before->id, nullptr);
    return;
  }
  start_machine(execution, [this, told](const std::string& id, const std::exception_ptr& failure) {
    if (failure) table_.remove_execution(id);
    told(id, failure);
  });
}

void Pipelines::start_machine(const PipelineExecution& execution, const Told& told) {
  const json::object input{{"PipelineExecutionArn", execution_arn(execution)}};
  const auto done = [this, told, id = execution.id](const std::exception_ptr& failure) {
    tell(told, id, failure);
  };
  try {
    workflow_.start({.machine_arn = workflow_.arns().machine(machine_name(execution.pipeline)),
                     .name = execution.id,
                     .input = base::to_text(input),
                     .trace_header = {}},
                    [done](const Started&, const std::exception_ptr& failure) { done(failure); });
  } catch (...) {
    done(std::current_exception());
  }
}

// Not on the thread that commits.
void Pipelines::tell(const Told& told, const std::string& id, const std::exception_ptr& failure) {
  workflow_.driver().pool().post(
      [told, id, failure] { told(id, failure ? to_error(failure) : nullptr); });
}

void Pipelines::stop(const std::string& id, const Told& told) {
  const auto execution = find_execution(id);
  if (!execution) no_such("Pipeline execution '" + id + "'");
  if (!is_open(execution->status)) {
    throw Error(ErrorCode::conflict, "the execution " + execution_arn(*execution) +
                                         " has ended already: " + execution->status);
  }
  table_.set_status(id, "Stopping", {}, clock_.now());
  workflow_.stop(execution->machine_execution, std::nullopt, std::nullopt,
                 [this, told, id](const base::Timestamp&, const std::exception_ptr& failure) {
                   tell(told, id, failure);
                 });
}

void Pipelines::retry(const std::string& id, const std::string& token, const Told& told) {
  const auto execution = find_execution(id);
  if (!execution) no_such("Pipeline execution '" + id + "'");
  if (execution->status != "Failed" && execution->status != "Stopped") {
    throw Error(ErrorCode::conflict,
                "the execution " + execution_arn(*execution) +
                    " is not one that has failed or was stopped: " + execution->status);
  }
  translated([&] {
    workflow_.redrive(execution->machine_execution, token,
                      [this, told, id](const base::Timestamp&, const std::exception_ptr& failure) {
                        const Told next = [this, told](const std::string& execution_id,
                                                       const std::exception_ptr& why) {
                          if (!why) {
                            table_.set_status(execution_id, "Executing", {}, clock_.now());
                          }
                          told(execution_id, why);
                        };
                        tell(next, id, failure);
                      });
  });
}

std::optional<PipelineExecution> Pipelines::find_execution(const std::string& id) {
  auto found = table_.find_execution(id);
  return found ? std::optional(settled(*std::move(found))) : std::nullopt;
}

Listed<PipelineExecution> Pipelines::list_executions(const std::string& pipeline,
                                                     const PipelineFilter& filter,
                                                     const PageOf& page) {
  auto listed = table_.list_executions(pipeline, filter, page);
  for (PipelineExecution& one : listed.items) one = settled(std::move(one));
  return listed;
}

std::optional<PipelineExecution> Pipelines::of_machine_execution(
    const std::string& machine_execution) const {
  auto found = table_.find_execution(machine_execution.substr(machine_execution.rfind(':') + 1));
  if (found && found->machine_execution != machine_execution) found.reset();
  return found;
}

PipelineExecution Pipelines::settled(PipelineExecution execution) {
  if (!is_open(execution.status)) return execution;
  const auto machine = workflow_.executions().find(execution.machine_execution);
  if (!machine || machine->status == asl::Status::running) return execution;
  if (!settle_steps(execution)) {
    if (machine->status == asl::Status::aborted) execution.status = "Stopping";
    return execution;
  }
  execution.failure_reason.clear();
  if (machine->status == asl::Status::succeeded) {
    execution.status = "Succeeded";
  } else if (machine->status == asl::Status::aborted) {
    execution.status = "Stopped";
  } else {
    execution.status = "Failed";
    execution.failure_reason = reason_of(execution, *machine);
  }
  execution.modified = machine->stopped.value_or(clock_.now());
  table_.set_status(execution.id, execution.status, execution.failure_reason, execution.modified);
  return execution;
}

// Steps that nobody waits for any more: a crash has come between their end and its word. True when
// none is left.
bool Pipelines::settle_steps(const PipelineExecution& execution) {
  bool is_settled = true;
  for (const StepRecord& step : table_.steps(execution.id)) {
    if (!is_open(step.status)) continue;
    const auto named = job_of_step(step);
    const auto job = named ? jobs_.find(named->first, named->second) : std::nullopt;
    if (job && !is_over(job->status)) {
      (void)jobs_.stop(named->first, named->second);
      mark_stopping(execution.id, step.name);
      is_settled = false;
      continue;
    }
    const bool has_failed = job && job->status == ModelJobStatus::failed;
    end_step(execution.id, step.name, has_failed ? "Failed" : "Stopped",
             has_failed ? job->failure_reason : std::string(), {});
  }
  return is_settled;
}

std::string Pipelines::reason_of(const PipelineExecution& execution,
                                 const Execution& machine) const {
  std::string reason = "Step failure: One or multiple steps failed.";
  bool any = false;
  for (const StepRecord& step : table_.steps(execution.id)) {
    if (step.status != "Failed") continue;
    any = true;
    reason += " " + step.name + ": " + step.failure_reason;
  }
  if (!any) reason = machine.cause.value_or(machine.error.value_or("the state machine failed"));
  constexpr std::size_t kMost = 1300;
  return reason.substr(0, kMost);
}

StepRecord Pipelines::begin_step(const std::string& execution, const std::string& name,
                                 const std::string& task) {
  const base::Timestamp now = clock_.now();
  return table_.change_step(execution, name, [&](std::optional<StepRecord>& step) {
    if (step && (step->status == "Succeeded" || step->task == task)) return;
    StepRecord fresh{.name = name};
    fresh.started = step ? step->started : now;
    fresh.attempts = step ? step->attempts + 1 : 1;
    fresh.task = task;
    step = std::move(fresh);
  });
}

void Pipelines::note_metadata(const std::string& execution, const std::string& name,
                              const json::object& metadata) {
  (void)table_.change_step(execution, name, [&](std::optional<StepRecord>& step) {
    if (step) step->metadata = metadata;
  });
}

void Pipelines::mark_stopping(const std::string& execution, const std::string& name) {
  (void)table_.change_step(execution, name, [](std::optional<StepRecord>& step) {
    if (step && is_open(step->status)) step->status = "Stopping";
  });
}

void Pipelines::end_step(const std::string& execution, const std::string& name,
                         const std::string& status, const std::string& reason,
                         const json::object& properties) {
  const base::Timestamp now = clock_.now();
  (void)table_.change_step(execution, name, [&](std::optional<StepRecord>& step) {
    if (!step || !is_open(step->status)) return;
    step->status = status;
    step->ended = now;
    step->failure_reason = reason.substr(0, 1024);
    step->properties = properties;
  });
}

void Pipelines::forget(base::Timestamp before) {
  constexpr std::size_t kAtATime = 200;
  while (table_.forget(before, kAtATime) == kAtATime) {
  }
}

}  // namespace andon::workflow
