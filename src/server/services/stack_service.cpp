// SPDX-License-Identifier: Apache-2.0
#include "server/services/stack_service.hpp"

#include <algorithm>
#include <iterator>

#include "api/cloudformation/cloudformation.hpp"
#include "api/codepipeline/codepipeline.hpp"

namespace andon::server {

StackService::StackService(const Parts& parts)
    : parts_(parts),
      stacks_(parts_.database, parts_.clock),
      engine_({.stacks = stacks_,
               .calls = parts_.calls,
               .s3 = parts_.s3,
               .arns = parts_.arns,
               .clock = parts_.clock}) {}

std::vector<api::Operation> StackService::operations() {
  std::vector<api::Operation> all =
      api::cloudformation_operations({.engine = engine_, .calls = parts_.calls, .s3 = parts_.s3});
  std::ranges::move(
      api::codepipeline_operations(
          {.stacks = stacks_, .calls = parts_.calls, .s3 = parts_.s3, .arns = parts_.arns}),
      std::back_inserter(all));
  return all;
}

}  // namespace andon::server
