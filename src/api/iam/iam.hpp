// SPDX-License-Identifier: Apache-2.0
// The operations of IAM (service "iam", model 2010-05-08) for users, access keys, groups, roles and
// policies, and simulations. Rows for the operation table; all that they are given must outlive
// them; passwords are in passwords.hpp. No instance profiles, no permissions boundaries.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "control/audit/audit_log.hpp"
#include "control/iam/iam.hpp"

namespace andon::api {

// `audit` knows when access keys were used; null: nobody does.
[[nodiscard]] std::vector<Operation> iam_operations(control::Iam& iam,
                                                    const control::AuditLog* audit = nullptr);

}  // namespace andon::api
