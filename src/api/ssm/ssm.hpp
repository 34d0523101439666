// SPDX-License-Identifier: Apache-2.0
// Room: ssm. Parameter Store (Systems Manager, model 2014-11-06) as rows of the operation table,
// over control::Parameters. The rest of Systems Manager is not here.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "control/iam/iam.hpp"
#include "control/parameters/parameters.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

// `parameters` and `iam` outlive the rows; `iam` knows the ARN of who changes something.
[[nodiscard]] std::vector<Operation> ssm_operations(control::Parameters& parameters,
                                                    const control::Iam& iam,
                                                    const fleet::Arns& arns);

}  // namespace andon::api
