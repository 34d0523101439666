// SPDX-License-Identifier: Apache-2.0
// The operations of Amazon SageMaker's Model Registry (service "sagemaker", model 2017-07-24):
// model package groups and model packages, and andon's own ListModelDecisions. Rows for the
// operation table; `registry`, `checks` (nullptr: models are not opened before they are approved)
// and `authorizer` (nullptr: who decides is not kept) must outlive them.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/models/model_checks.hpp"
#include "control/models/model_registry.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> sagemaker_operations(control::ModelRegistry& registry,
                                                          const fleet::Arns& arns = fleet::Arns(),
                                                          control::ModelChecks* checks = nullptr,
                                                          const Authorizer* authorizer = nullptr);

}  // namespace andon::api
