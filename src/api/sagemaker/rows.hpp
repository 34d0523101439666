// SPDX-License-Identifier: Apache-2.0
// How sagemaker.cpp and sagemaker_packages.cpp make their rows; part of sagemaker.hpp's inside.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/models/model_checks.hpp"
#include "control/models/model_registry.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

struct SageMaker {
  control::ModelRegistry& registry;
  control::ModelChecks* checks;  // nullptr: models are not opened before they are approved
  fleet::Arns arns;
  const Authorizer* authorizer;  // knows the ARN of who calls; nullptr: nobody's is kept
};

[[nodiscard]] inline Operation sagemaker_row(
    std::string_view name, std::function<base::json::value(const OperationContext&)> handler) {
  return {.service = "sagemaker",
          .name = name,
          .protocol = Protocol::aws_json_1_1,
          .method = "POST",
          .path = "/",
          .success_status = 200,
          .handler = std::move(handler)};
}

// As their Describe operations show them.
[[nodiscard]] base::json::object show_package(const SageMaker& service,
                                              const control::ModelPackage& package);
[[nodiscard]] base::json::object show_group(const SageMaker& service,
                                            const control::ModelPackageGroup& group);

void add_search_rows(std::vector<Operation>& rows, const SageMaker& service);
void add_package_rows(std::vector<Operation>& rows, const SageMaker& service);

}  // namespace andon::api
