// SPDX-License-Identifier: Apache-2.0
// Room: secretsmanager. Secrets Manager (model 2017-10-17) as rows of the operation table, over
// control::Secrets. Rotation, replicas and resource policies are not here.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/parameters/secrets.hpp"

namespace andon::api {

// Both outlive the rows; BatchGetSecretValue asks `authorizer` for each secret.
[[nodiscard]] std::vector<Operation> secretsmanager_operations(control::Secrets& secrets,
                                                               const Authorizer& authorizer);

}  // namespace andon::api
