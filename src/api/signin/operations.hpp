// SPDX-License-Identifier: Apache-2.0
// Operations on sessions of the console (service "andon"): CreateConsoleLink, ListConsoleSessions,
// EndConsoleSessions. Rows for the operation table; all that they are given must outlive them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/table/operation.hpp"
#include "control/iam/iam.hpp"
#include "control/sessions/sessions.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> console_operations(const control::Iam& iam,
                                                        control::Sessions& sessions);

// "/console/#link=<token>": behind '#', so that it stands in no log of a server or proxy.
[[nodiscard]] std::string console_link_path(std::string_view token);

}  // namespace andon::api
