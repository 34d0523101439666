// SPDX-License-Identifier: Apache-2.0
// SageMaker's pipelines as its clients ask for them (workflow/pipelines decides), and what their
// steps do (step_task.hpp). Any thread.
#pragma once

#include <vector>

#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "control/shared/tags.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/pipelines/pipelines.hpp"

namespace andon::api {

struct SageMakerPipelines {
  workflow::Pipelines& pipelines;
  store::ObjectStore& objects;  // definitions that are objects
  const InternalCalls& calls;
  const Authorizer* authorizer;
  control::Tags tags;
};

[[nodiscard]] std::vector<Operation> sagemaker_pipeline_operations(
    const SageMakerPipelines& service);

}  // namespace andon::api
