// SPDX-License-Identifier: Apache-2.0
// AssumeRoleWithWebIdentity: a token of an OpenID provider that IAM knows is a session of a role
// whose trust policy takes it. The token is the only credential; the request is not signed. All
// that is given must outlive the row.
#pragma once

#include "api/sts/key_sets.hpp"
#include "api/table/operation.hpp"
#include "control/iam/iam.hpp"

namespace andon::api {

[[nodiscard]] Operation web_identity_operation(control::Iam& iam, KeySets& keys,
                                               const base::Clock& clock);

}  // namespace andon::api
