// SPDX-License-Identifier: Apache-2.0
// Room: sts. Who one is, and credentials for a while.
// The operations of STS (service "sts", model 2011-06-15): GetCallerIdentity, AssumeRole,
// GetSessionToken, GetAccessKeyInfo. Rows for the operation table; all that they are given must
// outlive them.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/iam/iam.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> sts_operations(control::Iam& iam,
                                                    const Authorizer& authorizer);

// A session of another role that `caller` takes, by the same rules as AssumeRole: for a Task
// state's Credentials. Throws ServiceError(AccessDenied).
[[nodiscard]] Caller assume_task_role(const control::Iam& iam, const Authorizer& authorizer,
                                      const Caller& caller, const std::string& role_arn,
                                      const std::string& session);

}  // namespace andon::api
