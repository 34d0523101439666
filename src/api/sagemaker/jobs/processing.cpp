// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/jobs/rows.hpp"
#include "api/table/members.hpp"

namespace andon::api {
namespace {

using workflow::ModelJob;
constexpr auto kKind = workflow::ModelJobKind::processing;

void put_outcome(json::object& output, const ModelJob& job) {
  if (job.ended) output["ProcessingEndTime"] = base::to_epoch_seconds(*job.ended);
  put_unless_empty(output, "FailureReason", job.failure_reason);
  put_unless_empty(output, "ExitMessage", job.exit_message);
}

json::object summarize(const ModelJob& job) {
  json::object summary{{"ProcessingJobName", job.name},
                       {"ProcessingJobArn", job.arn},
                       {"ProcessingJobStatus", to_string(job.status)},
                       {"CreationTime", base::to_epoch_seconds(job.created)},
                       {"LastModifiedTime", base::to_epoch_seconds(job.modified)}};
  put_outcome(summary, job);
  return summary;
}

}  // namespace

json::object describe_processing_job(const ModelJob& job) {
  json::object output = summarize(job);
  output["StoppingCondition"] = json::object{{"MaxRuntimeInSeconds", 86'400}};
  keep_members(
      output, job.request,
      {"ProcessingInputs", "ProcessingOutputConfig", "ProcessingResources", "StoppingCondition",
       "AppSpecification", "Environment", "NetworkConfig", "RoleArn", "ExperimentConfig"});
  if (job.started) output["ProcessingStartTime"] = base::to_epoch_seconds(*job.started);
  return output;
}

void add_processing_rows(std::vector<Operation>& rows, const SageMakerJobs& service) {
  rows.push_back(sagemaker_row("CreateProcessingJob", [service](const OperationContext& context) {
    return create_model_job(service, kKind, context);
  }));
  rows.push_back(sagemaker_row("DescribeProcessingJob", [service](const OperationContext& context) {
    return json::value(describe_processing_job(require_model_job(service, kKind, context.input)));
  }));
  rows.push_back(sagemaker_row("ListProcessingJobs", [service](const OperationContext& context) {
    return list_model_jobs(service, kKind, context, "ProcessingJobSummaries", summarize);
  }));
  rows.push_back(sagemaker_row("StopProcessingJob", [service](const OperationContext& context) {
    return stop_model_job(service, kKind, context);
  }));
}

}  // namespace andon::api
