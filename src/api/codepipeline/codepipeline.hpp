// SPDX-License-Identifier: Apache-2.0
// Room: codepipeline. Pipelines that stacks have (service "codepipeline", model 2015-07-09):
// started, stopped, looked at. A pipeline is a state machine
// (stacks/types/pipeline_definition.hpp); its executions are that machine's, called as the caller.
#pragma once

#include <vector>

#include "api/s3/s3.hpp"
#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "control/stacks/stacks.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

struct CodePipelineParts {
  control::Stacks& stacks;
  const InternalCalls& calls;
  S3Service& s3;
  const fleet::Arns& arns;
};

// All outlive the rows.
[[nodiscard]] std::vector<Operation> codepipeline_operations(const CodePipelineParts& parts);

}  // namespace andon::api
