// SPDX-License-Identifier: Apache-2.0
// What training.cpp and processing.cpp share; part of jobs.hpp's inside.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/sagemaker/jobs/jobs.hpp"
#include "api/sagemaker/members.hpp"
#include "api/sagemaker/rows.hpp"

namespace andon::api {

void add_training_rows(std::vector<Operation>& rows, const SageMakerJobs& service);
void add_processing_rows(std::vector<Operation>& rows, const SageMakerJobs& service);
void add_labeling_rows(std::vector<Operation>& rows);

// The job that Create... asks for: its name, role and tags checked, made, told as its ARN.
[[nodiscard]] json::value create_model_job(const SageMakerJobs& service,
                                           workflow::ModelJobKind kind,
                                           const OperationContext& context);
// Throws what AWS answers for one that is not there.
[[nodiscard]] workflow::ModelJob require_model_job(const SageMakerJobs& service,
                                                   workflow::ModelJobKind kind,
                                                   const json::object& input);
[[nodiscard]] json::value stop_model_job(const SageMakerJobs& service, workflow::ModelJobKind kind,
                                         const OperationContext& context);
// A page of summaries under `list`.
[[nodiscard]] json::value list_model_jobs(
    const SageMakerJobs& service, workflow::ModelJobKind kind, const OperationContext& context,
    std::string_view list, const std::function<json::object(const workflow::ModelJob&)>& summary);

[[nodiscard]] json::object describe_training_job(const workflow::ModelJob& job);
[[nodiscard]] json::object describe_processing_job(const workflow::ModelJob& job);

// Members of the request that the answer has as they came.
void keep_members(json::object& output, const json::object& request,
                  std::initializer_list<std::string_view> members);

}  // namespace andon::api
