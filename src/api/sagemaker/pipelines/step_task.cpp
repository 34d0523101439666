// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/pipelines/step_task.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "api/sagemaker/jobs/jobs.hpp"
#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "workflow/pipelines/expressions.hpp"
#include "workflow/pipelines/translation.hpp"

namespace andon::api {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using workflow::ModelJobKind;
using workflow::ModelJobStatus;
using workflow::StepType;
using workflow::TaskFailure;
using workflow::TaskReply;

namespace {

constexpr const char* kStepFailed = "Pipeline.StepFailed";
constexpr const char* kServiceFault = "Step.SERVICE_FAULT";
constexpr std::size_t kMostPropertyFile = 4U << 20U;

// The failure of a call as RetryPolicies name it, and its text.
struct Failure {
  std::string error;
  std::string cause;
};

Failure failure_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const TaskFailure& told) {
    return {told.error(), told.cause()};
  } catch (const ServiceError& error) {
    const std::string& code = error.code();
    const char* name = code == "ResourceLimitExceeded" ? "SageMaker.RESOURCE_LIMIT"
                       : code == "ThrottlingException" ? "Step.THROTTLING"
                       : error.http_status() >= 500    ? kServiceFault
                                                       : kStepFailed;
    return {name, "ClientError: " + code + ": " + error.what()};
  } catch (const Error& error) {
    switch (error.code()) {
      case ErrorCode::resource_exhausted:
        return {"SageMaker.RESOURCE_LIMIT", "ClientError: " + error.message()};
      case ErrorCode::unavailable:
      case ErrorCode::deadline_exceeded:
      case ErrorCode::internal:
        return {kServiceFault, "InternalServerError: " + error.message()};
      default:
        return {kStepFailed, "ClientError: " + error.message()};
    }
  } catch (const std::exception& error) {
    return {kServiceFault, std::string("InternalServerError: ") + error.what()};
  }
}

// Members that are maps of texts: a parameter may be a number.
void make_texts(json::object& request, std::string_view member) {
  json::value* map = request.if_contains(member);
  if (map == nullptr || !map->is_object()) return;
  for (auto& one : map->get_object()) {
    if (one.value().is_string() || one.value().is_object() || one.value().is_array()) continue;
    one.value() = base::to_text(one.value());
  }
}

// "pipelines-<execution>-<step>-<task>", which no other try of the step has.
std::string job_name(const std::string& execution, const std::string& step,
                     const std::string& task) {
  constexpr std::size_t kStepBytes = 28;
  constexpr std::size_t kTaskBytes = 10;
  std::string name = step.substr(0, kStepBytes);
  std::ranges::replace(name, '_', '-');
  std::string hex;
  for (const char c : task) {
    if (c != '-' && hex.size() < kTaskBytes) hex += c;
  }
  return "pipelines-" + execution + "-" + name + "-" + hex;
}

}  // namespace

struct StepTask::Work {
  workflow::PipelineExecution execution;
  std::shared_ptr<const workflow::PipelineDefinition> definition;
  const workflow::PipelineStep* step = nullptr;  // of the definition
  std::string task;                              // idempotency token
  Caller caller;
  workflow::ExpressionScope scope;
};

bool StepTask::has(const asl::Resource& resource) const {
  return resource.text == workflow::kStepResource || resource.text == workflow::kConditionResource;
}

void StepTask::start(const workflow::TaskRequest& task, const TaskReply& reply) {
  auto execution = pipelines_->of_machine_execution(task.execution_arn);
  if (!execution) {
    throw TaskFailure("Pipeline.NotAnExecution",
                      "this state machine is a pipeline's: start it with StartPipelineExecution");
  }
  auto work = std::make_shared<Work>();
  work->execution = *std::move(execution);
  work->task = task.idempotency_token;
  const std::string name = task.parameters->is_object()
                               ? base::text_at(task.parameters->get_object(), "Step")
                               : std::string();
  try {
    work->definition = std::make_shared<const workflow::PipelineDefinition>(
        workflow::parse_pipeline(work->execution.definition));
  } catch (const Error& error) {
    throw TaskFailure(kStepFailed, error.message());
  }
  work->step = work->definition->find(name);
  if (work->step == nullptr) {
    throw TaskFailure(kStepFailed, "the pipeline had no step '" + name.substr(0, 100) +
                                       "' when this execution was started");
  }
  const workflow::StepRecord record = pipelines_->begin_step(work->execution.id, name, work->task);
  const bool is_condition = work->step->type == StepType::condition;
  if (!is_condition) reply.submitted(json::object{{"Step", name}});
  if (record.status == "Succeeded") {
    json::object output{{"Step", name}};
    if (is_condition) output["Outcome"] = base::text_at(record.properties, "Outcome");
    reply.succeeded(std::move(output));
    return;
  }
  try {
    work->caller = calls_.as_role({.role_arn = work->execution.role,
                                   .session = work->execution.id,
                                   .service = control::kSageMakerService,
                                   .source_arn = pipelines_->arn(work->execution.pipeline)});
    begin(*work, reply);
  } catch (...) {
    const Failure failure = failure_of(std::current_exception());
    pipelines_->end_step(work->execution.id, name, "Failed", failure.cause, {});
    reply.failed(failure.error, failure.cause);
  }
}

void StepTask::begin(const Work& given, const TaskReply& reply) {
  Work work = given;
  const workflow::PipelineExecution& execution = given.execution;
  work.scope.parameter = [&execution](const std::string& name) {
    const json::value* value = execution.values.if_contains(name);
    if (value == nullptr) {
      throw Error(ErrorCode::invalid_argument, "there is no parameter '" + name + "'");
    }
    return *value;
  };
  work.scope.execution = [this, &execution](const std::string& name) -> json::value {
    if (name == "PipelineName") return json::value(execution.pipeline);
    if (name == "PipelineArn") return json::value(pipelines_->arn(execution.pipeline));
    if (name == "PipelineExecutionId") return json::value(execution.id);
    if (name == "PipelineExecutionArn") return json::value(pipelines_->execution_arn(execution));
    if (name == "StartDateTime") return json::value(base::to_iso8601(execution.started));
    return json::value(base::to_iso8601(clock_.now()));
  };
  work.scope.properties = [this, &execution](const std::string& step) -> json::value {
    const auto record = pipelines_->find_step(execution.id, step);
    if (!record || record->status != "Succeeded") {
      throw Error(ErrorCode::invalid_argument, "the step '" + step + "' has not succeeded");
    }
    return record->properties;
  };
  work.scope.file = [this, &given](const std::string& step, const std::string& file) {
    return property_file(given, step, file);
  };
  switch (work.step->type) {
    case StepType::processing:
      run_job(work, ModelJobKind::processing, reply);
      break;
    case StepType::training:
      run_job(work, ModelJobKind::training, reply);
      break;
    case StepType::register_model:
      register_model(work, reply);
      break;
    case StepType::condition:
      decide(work, reply);
      break;
    case StepType::fail: {
      const json::value said = evaluate(work.step->arguments.at("ErrorMessage"), work.scope);
      const std::string message =
          said.is_string() ? std::string(said.get_string()) : base::to_text(said);
      pipelines_->note_metadata(execution.id, work.step->name,
                                {{"Fail", {{"ErrorMessage", message.substr(0, 3072)}}}});
      throw TaskFailure("Pipeline.Fail", message);
    }
  }
}

void StepTask::run_job(const Work& work, ModelJobKind kind, const TaskReply& reply) {
  const bool trains = kind == ModelJobKind::training;
  const std::string name = job_name(work.execution.id, work.step->name, work.task);
  // Written before it is made, so that whoever looks after a crash finds it.
  pipelines_->note_metadata(
      work.execution.id, work.step->name,
      {{trains ? "TrainingJob" : "ProcessingJob", {{"Arn", jobs_->arn(kind, name)}}}});
  if (!jobs_->find(kind, name)) {
    json::object request = evaluate(work.step->arguments, work.scope).as_object();
    make_texts(request, "HyperParameters");
    make_texts(request, "Environment");
    request[trains ? "TrainingJobName" : "ProcessingJobName"] = name;
    (void)calls_.call(work.caller, "sagemaker",
                      trains ? "CreateTrainingJob" : "CreateProcessingJob", request);
  }
  Work kept{.execution = work.execution,
            .definition = work.definition,
            .step = work.step,
            .task = work.task,
            .caller = work.caller,
            .scope = {}};
  jobs_->when_ended(kind, name,
                    [this, kept = std::move(kept), reply](const workflow::ModelJob& job) {
                      job_ended(kept, job, reply);
                    });
}

void StepTask::job_ended(const Work& work, const workflow::ModelJob& job,
                         const TaskReply& reply) const {
  const std::string& name = work.step->name;
  const std::string& id = work.execution.id;
  if (job.status == ModelJobStatus::completed) {
    pipelines_->end_step(id, name, "Succeeded", {}, describe_model_job(job));
    reply.succeeded(json::object{{"Step", name}, {"Arn", job.arn}});
    return;
  }
  const auto record = pipelines_->find_step(id, name);
  const bool was_stopped =
      job.status == ModelJobStatus::stopped && record && record->status == "Stopping";
  const std::string reason = !job.failure_reason.empty() ? job.failure_reason
                             : was_stopped               ? std::string()
                                           : "ClientError: the job " + job.arn + " was stopped";
  pipelines_->end_step(id, name, was_stopped ? "Stopped" : "Failed", reason, {});
  const bool is_ours = reason.starts_with("InternalServerError");
  reply.failed(is_ours ? "SageMaker.JOB_INTERNAL_ERROR" : kStepFailed,
               reason.empty() ? "the step was stopped" : reason);
}

void StepTask::register_model(const Work& work, const TaskReply& reply) {
  json::object request = evaluate(work.step->arguments, work.scope).as_object();
  make_texts(request, "CustomerMetadataProperties");
  request["ClientToken"] = work.task;
  const std::string group = base::text_at(request, "ModelPackageGroupName");
  if (!group.empty()) {
    // Made if it is absent, as there; who has it already is told so.
    try {
      (void)calls_.call(work.caller, "sagemaker", "DescribeModelPackageGroup",
                        {{"ModelPackageGroupName", group}});
    } catch (const ServiceError& error) {
      if (error.code() != "ValidationException") throw;
      (void)calls_.call(work.caller, "sagemaker", "CreateModelPackageGroup",
                        {{"ModelPackageGroupName", group}});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw;
      (void)calls_.call(work.caller, "sagemaker", "CreateModelPackageGroup",
                        {{"ModelPackageGroupName", group}});
    }
  }
  const json::value made = calls_.call(work.caller, "sagemaker", "CreateModelPackage", request);
  const std::string arn = base::text_at(made.as_object(), "ModelPackageArn");
  pipelines_->note_metadata(work.execution.id, work.step->name,
                            {{"RegisterModel", {{"Arn", arn}}}});
  const json::value described =
      calls_.call(work.caller, "sagemaker", "DescribeModelPackage", {{"ModelPackageName", arn}});
  pipelines_->end_step(work.execution.id, work.step->name, "Succeeded", {}, described.as_object());
  reply.succeeded(json::object{{"Step", work.step->name}, {"Arn", arn}});
}

void StepTask::decide(const Work& work, const TaskReply& reply) {
  const bool is_true = holds(work.step->arguments.at("Conditions").as_array(), work.scope);
  const char* outcome = is_true ? "True" : "False";
  pipelines_->note_metadata(work.execution.id, work.step->name,
                            {{"Condition", {{"Outcome", outcome}}}});
  pipelines_->end_step(work.execution.id, work.step->name, "Succeeded", {}, {{"Outcome", outcome}});
  reply.succeeded(json::object{{"Outcome", outcome}});
}

json::value StepTask::property_file(const Work& work, const std::string& step,
                                    const std::string& file) const {
  const workflow::PipelineStep* of = work.definition->find(step);
  const auto record = pipelines_->find_step(work.execution.id, step);
  const auto wanted = of == nullptr ? workflow::PropertyFile{} : [&] {
    const auto found = std::ranges::find_if(
        of->files, [&file](const workflow::PropertyFile& one) { return one.name == file; });
    return found == of->files.end() ? workflow::PropertyFile{} : *found;
  }();
  if (!record || record->status != "Succeeded" || wanted.name.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "the property file '" + file + "' of step '" + step + "' is not there");
  }
  const json::value properties = record->properties;
  const json::value* uri = workflow::find_path(
      properties, {std::string("ProcessingOutputConfig"), std::string("Outputs"), wanted.output,
                   std::string("S3Output"), std::string("S3Uri")});
  if (uri == nullptr || !uri->is_string()) {
    throw Error(ErrorCode::invalid_argument,
                "the step '" + step + "' has no output '" + wanted.output + "'");
  }
  workflow::S3Place place = workflow::parse_s3_uri(std::string_view(uri->get_string()), "S3Uri");
  if (!place.key.empty() && !place.key.ends_with('/')) place.key += '/';
  place.key += wanted.path;
  calls_.require(work.caller, "s3:GetObject", "arn:aws:s3:::" + place.bucket + "/" + place.key);
  const std::string what = "the property file s3://" + place.bucket + "/" + place.key;
  const auto object = objects_.open(place.bucket, place.key);
  if (!object) throw Error(ErrorCode::invalid_argument, what + " is not there");
  if (object->info.size > kMostPropertyFile) {
    throw Error(ErrorCode::invalid_argument, what + " is larger than 4 MiB");
  }
  std::string text(object->info.size, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(object->file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw base::system_error("cannot read " + what, errno);
    have += static_cast<std::size_t>(got);
  }
  return base::parse_json(text, what, {.max_bytes = kMostPropertyFile, .max_depth = 64});
}

void StepTask::cancel(const workflow::TaskRequest& task) {
  const auto execution = pipelines_->of_machine_execution(task.execution_arn);
  if (!execution || !task.parameters->is_object()) return;
  const std::string name = base::text_at(task.parameters->get_object(), "Step");
  const auto record = pipelines_->find_step(execution->id, name);
  if (!record || record->ended) return;
  pipelines_->mark_stopping(execution->id, name);
  if (const auto job = job_of_step(*record)) (void)jobs_->stop(job->first, job->second);
}

}  // namespace andon::api
