// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/sagemaker/jobs/rows.hpp"
#include "api/table/members.hpp"

namespace andon::api {
namespace {

using workflow::ModelJob;
constexpr auto kKind = workflow::ModelJobKind::training;

json::object summarize(const ModelJob& job) {
  json::object summary{{"TrainingJobName", job.name},
                       {"TrainingJobArn", job.arn},
                       {"TrainingJobStatus", to_string(job.status)},
                       {"SecondaryStatus", job.secondary()},
                       {"CreationTime", base::to_epoch_seconds(job.created)},
                       {"LastModifiedTime", base::to_epoch_seconds(job.modified)}};
  if (job.ended) summary["TrainingEndTime"] = base::to_epoch_seconds(*job.ended);
  return summary;
}

}  // namespace

json::object describe_training_job(const ModelJob& job) {
  json::object output{{"TrainingJobName", job.name},
                      {"TrainingJobArn", job.arn},
                      {"TrainingJobStatus", to_string(job.status)},
                      {"SecondaryStatus", job.secondary()},
                      {"ModelArtifacts", {{"S3ModelArtifacts", workflow::model_artifacts(job)}}},
                      {"StoppingCondition", {{"MaxRuntimeInSeconds", 86'400}}},
                      {"CreationTime", base::to_epoch_seconds(job.created)},
                      {"LastModifiedTime", base::to_epoch_seconds(job.modified)}};
  keep_members(
      output, job.request,
      {"HyperParameters", "AlgorithmSpecification", "RoleArn", "InputDataConfig",
       "OutputDataConfig", "ResourceConfig", "StoppingCondition", "EnableNetworkIsolation",
       "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "DebugHookConfig",
       "ExperimentConfig", "ProfilerConfig", "ProfilerRuleConfigurations", "Environment"});
  if (job.started) output["TrainingStartTime"] = base::to_epoch_seconds(*job.started);
  if (job.ended) output["TrainingEndTime"] = base::to_epoch_seconds(*job.ended);
  if (job.started && job.ended) {
    // From 1 on, in their model.
    output["TrainingTimeInSeconds"] = std::max<std::int64_t>(
        1, std::chrono::ceil<std::chrono::seconds>(*job.ended - *job.started).count());
  }
  put_unless_empty(output, "FailureReason", job.failure_reason);
  json::array transitions;
  for (const workflow::Transition& one : job.transitions) {
    json::object told{{"Status", one.status},
                      {"StartTime", base::to_epoch_seconds(one.started)},
                      {"StatusMessage", one.message}};
    if (one.ended) told["EndTime"] = base::to_epoch_seconds(*one.ended);
    transitions.push_back(std::move(told));
  }
  output["SecondaryStatusTransitions"] = std::move(transitions);
  if (job.metrics.empty()) return output;
  json::array metrics;
  for (const workflow::FinalMetric& metric : job.metrics) {
    metrics.push_back({{"MetricName", metric.name},
                       {"Value", metric.value},
                       {"Timestamp", base::to_epoch_seconds(job.ended.value_or(job.modified))}});
  }
  output["FinalMetricDataList"] = std::move(metrics);
  return output;
}

void add_training_rows(std::vector<Operation>& rows, const SageMakerJobs& service) {
  rows.push_back(sagemaker_row("CreateTrainingJob", [service](const OperationContext& context) {
    return create_model_job(service, kKind, context);
  }));
  rows.push_back(sagemaker_row("DescribeTrainingJob", [service](const OperationContext& context) {
    return json::value(describe_training_job(require_model_job(service, kKind, context.input)));
  }));
  rows.push_back(sagemaker_row("ListTrainingJobs", [service](const OperationContext& context) {
    return list_model_jobs(service, kKind, context, "TrainingJobSummaries", summarize);
  }));
  rows.push_back(sagemaker_row("StopTrainingJob", [service](const OperationContext& context) {
    return stop_model_job(service, kKind, context);
  }));
}

}  // namespace andon::api
