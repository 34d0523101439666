// SPDX-License-Identifier: Apache-2.0
// Fleet provisioning's operations: templates, their versions, claims, RegisterThing; and the hook
// of a template as a function of this server. `control`, `calls` and `authorizer` must outlive
// what is made here.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "control/control_plane.hpp"

namespace andon::api {

// Who makes a template, or gives it another role or hook, passes that role (iam:PassRole) and may
// call that function (lambda:InvokeFunction).
[[nodiscard]] std::vector<Operation> provisioning_operations(control::ControlPlane& control,
                                                             const InternalCalls& calls,
                                                             const Authorizer* authorizer);

// Calls the function in the name of the account, as event targets without a role do; it has five
// seconds, as with AWS. deadline_exceeded, failed_precondition where it fails.
[[nodiscard]] control::AskHook function_hook(const InternalCalls& calls, const fleet::Arns& arns);

}  // namespace andon::api
