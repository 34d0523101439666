// SPDX-License-Identifier: Apache-2.0
#include "server/services/sagemaker_service.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/sagemaker/jobs/jobs.hpp"
#include "api/sagemaker/pipelines/pipelines.hpp"
#include "api/sagemaker/tags.hpp"
#include "base/error/error.hpp"
#include "base/text/number.hpp"

namespace andon::server {
namespace {

// What a job's role may, asked anew for each object.
void require(const api::InternalCalls& calls, const workflow::ModelJob& job,
             std::string_view action, const std::string& bucket, const std::string& key) {
  try {
    const api::Caller caller = calls.as_role({.role_arn = job.role(),
                                              .session = job.name,
                                              .service = control::kSageMakerService,
                                              .source_arn = job.arn});
    calls.require(caller, action, "arn:aws:s3:::" + bucket + (key.empty() ? "" : "/" + key));
  } catch (const api::ServiceError& error) {
    throw base::Error(base::ErrorCode::permission_denied, error.what());
  }
}

}  // namespace

SageMakerService::SageMakerService(Parts parts)
    : parts_(std::move(parts)),
      jobs_({.database = parts_.database,
             .runner = parts_.tasks.jobs(),
             .objects = parts_.objects,
             .clock = parts_.clock,
             .arns = parts_.workflow.arns(),
             .policy = parts_.policy,
             .images = parts_.images,
             .require = [&calls = parts_.calls](
                            const workflow::ModelJob& job, std::string_view action,
                            const std::string& bucket,
                            const std::string& key) { require(calls, job, action, bucket, key); }}),
      pipelines_(parts_.database, parts_.workflow, jobs_, parts_.clock) {}

void SageMakerService::join() {
  parts_.tasks.steps().set_pipelines(pipelines_, jobs_);
}

void SageMakerService::run() {
  jobs_.run();
  pipelines_.run();
}

void SageMakerService::sweep() {
  const base::Timestamp before = parts_.clock.now() - parts_.retention;
  pipelines_.forget(before);
  jobs_.forget(before);
}

std::vector<api::Operation> SageMakerService::operations() {
  const control::Tags& tags = parts_.registry.tags();
  std::vector<api::Operation> all =
      api::sagemaker_job_operations({jobs_, parts_.calls, &parts_.authorizer, tags});
  const auto add = [&all](std::vector<api::Operation> some) {
    std::ranges::move(some, std::back_inserter(all));
  };
  add(api::sagemaker_pipeline_operations(
      {pipelines_, parts_.objects, parts_.calls, &parts_.authorizer, tags}));
  add(api::sagemaker_tag_operations(tags,
                                    [this](const std::string& arn) { return is_there(arn); }));
  return all;
}

bool SageMakerService::is_there(const std::string& arn) {
  const std::size_t colon = arn.rfind(':');
  const std::string resource = colon == std::string::npos ? arn : arn.substr(colon + 1);
  const std::size_t slash = resource.find('/');
  if (!arn.starts_with("arn:aws:sagemaker:") || slash == std::string::npos) return false;
  const std::string kind = resource.substr(0, slash);
  const std::string name = resource.substr(slash + 1);
  if (kind == "pipeline") return pipelines_.find(name).has_value();
  if (kind == "training-job") {
    return jobs_.find(workflow::ModelJobKind::training, name).has_value();
  }
  if (kind == "processing-job") {
    return jobs_.find(workflow::ModelJobKind::processing, name).has_value();
  }
  if (kind == "feature-group") return parts_.features.groups.find(name).has_value();
  if (kind == "model-package-group") return parts_.registry.find_group(name).has_value();
  if (kind != "model-package") return false;
  control::ModelPackageId id{name, 0};
  if (const std::size_t inner = name.find('/'); inner != std::string::npos) {
    const auto version = base::parse_integer<std::int64_t>(name.substr(inner + 1), 1);
    if (!version) return false;
    id = {name.substr(0, inner), *version};
  }
  return parts_.registry.find_package(id).has_value();
}

}  // namespace andon::server
