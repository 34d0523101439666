// SPDX-License-Identifier: Apache-2.0
// The operations of Amazon SageMaker's Model Registry (service "sagemaker", model 2017-07-24):
// model package groups and model packages. Rows for the operation table; `registry` must outlive
// them.
#pragma once

#include <vector>

#include "api/operation.hpp"
#include "control/arn.hpp"
#include "control/model_registry.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> sagemaker_operations(
    control::ModelRegistry& registry, const control::Arns& arns = control::Arns());

}  // namespace andon::api
