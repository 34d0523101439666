// SPDX-License-Identifier: Apache-2.0
// Tags of what SageMaker's operations have made: groups, packages, pipelines, jobs. Any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/table/operation.hpp"
#include "control/shared/tags.hpp"

namespace andon::api {

// `is_there`: whether there is something with this ARN.
[[nodiscard]] std::vector<Operation> sagemaker_tag_operations(
    const control::Tags& tags, std::function<bool(const std::string& arn)> is_there);

}  // namespace andon::api
