// SPDX-License-Identifier: Apache-2.0
// Room: commands. What people ask of a device while they wait: andon's own operations, rows of the
// operation table, over control::Commands. Answers are read by asking again and again: each call
// waits until there is something, so that they come as the device sends them.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/commands/commands.hpp"

namespace andon::api {

// Both outlive the rows. Without an authorizer (tests) names are those of principals.
[[nodiscard]] std::vector<Operation> command_operations(control::Commands& commands,
                                                        const Authorizer* authorizer);

// Who asks, as commands and the audit log have it.
[[nodiscard]] control::CommandAsker asker_of(const Authorizer* authorizer, const Caller& caller);

}  // namespace andon::api
