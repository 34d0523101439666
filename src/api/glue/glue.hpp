// SPDX-License-Identifier: Apache-2.0
// The operations of Glue (service "glue", model 2017-03-31) over the catalog of the offline stores
// of feature groups. Rows for the operation table; all that they are given must outlive them.
#pragma once

#include <string>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "features/features.hpp"

namespace andon::api {

struct GlueParts {
  features::Features& features;
  fleet::Arns arns;
  const Authorizer* authorizer = nullptr;  // null: only the account itself may
};

[[nodiscard]] std::vector<Operation> glue_operations(const GlueParts& parts);

// What must be allowed for a table, as AWS has it: it, its database and the catalog.
[[nodiscard]] std::vector<std::string> table_resources(const fleet::Arns& arns,
                                                       const std::string& database,
                                                       const std::string& table);

}  // namespace andon::api
