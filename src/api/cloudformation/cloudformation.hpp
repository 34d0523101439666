// SPDX-License-Identifier: Apache-2.0
// Room: cloudformation. Stacks as AWS's clients see them (service "cloudformation", model
// 2010-05-15), and andon's own two operations, with which `andon apply` plans and applies. Over
// stacks/stack_engine.hpp.
#pragma once

#include <vector>

#include "api/stacks/stack_engine.hpp"
#include "api/table/operation.hpp"

namespace andon::api {

struct CloudFormationParts {
  StackEngine& engine;
  const InternalCalls& calls;
  S3Service& s3;
};

// All outlive the rows.
[[nodiscard]] std::vector<Operation> cloudformation_operations(const CloudFormationParts& parts);

}  // namespace andon::api
