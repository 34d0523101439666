// SPDX-License-Identifier: Apache-2.0
// Passwords of users for the console, and what the account wants of them: CreateLoginProfile,
// GetLoginProfile, UpdateLoginProfile, DeleteLoginProfile, ChangePassword,
// GetAccountPasswordPolicy, UpdateAccountPasswordPolicy, DeleteAccountPasswordPolicy of IAM. Rows
// for the operation table; all that they are given must outlive them.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/iam/iam.hpp"
#include "control/passwords/passwords.hpp"

namespace andon::api {

// `authorizer` says who may change their own; null: everybody.
[[nodiscard]] std::vector<Operation> password_operations(control::Iam& iam,
                                                         control::Passwords& passwords,
                                                         const Authorizer* authorizer = nullptr);

}  // namespace andon::api
