// SPDX-License-Identifier: Apache-2.0
// How sagemaker.cpp and sagemaker_packages.cpp make their rows; part of sagemaker.hpp's inside.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "api/operation.hpp"
#include "control/arn.hpp"
#include "control/model_registry.hpp"

namespace andon::api {

struct SageMaker {
  control::ModelRegistry& registry;
  control::Arns arns;
};

template <typename Handler>
[[nodiscard]] Operation sagemaker_row(std::string_view name, Handler handler) {
  return {.service = "sagemaker",
          .name = name,
          .protocol = Protocol::aws_json_1_1,
          .method = "POST",
          .path = "/",
          .success_status = 200,
          .handler = [handler](const OperationContext& context) -> base::json::value {
            return handler(context.input);
          }};
}

void add_package_rows(std::vector<Operation>& rows, const SageMaker& service);

}  // namespace andon::api
