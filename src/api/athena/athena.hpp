// SPDX-License-Identifier: Apache-2.0
// The operations of Athena (service "athena", model 2017-05-18), as far as the offline stores of
// feature groups go. A query sees the tables that its caller may glue:GetTable, and its result goes
// where the caller may s3:PutObject. Rows for the operation table; all that they are given must
// outlive them.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "features/features.hpp"

namespace andon::api {

struct AthenaParts {
  features::Queries& queries;
  fleet::Arns arns;
  const Authorizer* authorizer = nullptr;  // null: only the account itself may
  const store::ObjectStore& objects;
};

[[nodiscard]] std::vector<Operation> athena_operations(const AthenaParts& parts);

}  // namespace andon::api
