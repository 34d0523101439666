// SPDX-License-Identifier: Apache-2.0
// The operations of SageMaker's feature store: feature groups (service "sagemaker") and their
// records (service "sagemaker-featurestore-runtime", which signs as "sagemaker", too; model
// 2020-07-01). Rows for the operation table; all that they are given must outlive them.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/shared/tags.hpp"
#include "features/features.hpp"

namespace andon::api {

struct FeatureStoreParts {
  features::Features& features;
  fleet::Arns arns;
  const Authorizer* authorizer = nullptr;  // null: nobody is asked whether a role may be passed
  control::Tags tags;
};

[[nodiscard]] std::vector<Operation> feature_store_operations(const FeatureStoreParts& parts);

}  // namespace andon::api
