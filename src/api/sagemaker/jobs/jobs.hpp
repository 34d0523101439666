// SPDX-License-Identifier: Apache-2.0
// Processing and training jobs, and the honest answer about labelling jobs, as SageMaker's clients
// ask for them. The jobs are workflow/modeljobs; here they are read, checked and told. Any thread.
#pragma once

#include <string>
#include <vector>

#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "control/shared/tags.hpp"
#include "workflow/modeljobs/model_jobs.hpp"

namespace andon::api {

struct SageMakerJobs {
  workflow::ModelJobs& jobs;
  const InternalCalls& calls;
  const Authorizer* authorizer;
  control::Tags tags;
};

[[nodiscard]] std::vector<Operation> sagemaker_job_operations(const SageMakerJobs& service);

// What DescribeTrainingJob or DescribeProcessingJob answers.
[[nodiscard]] base::json::object describe_model_job(const workflow::ModelJob& job);

}  // namespace andon::api
