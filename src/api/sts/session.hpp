// SPDX-License-Identifier: Apache-2.0
// What the ways to a role's session share: the session's name, its length, the policy that narrows
// it, and the answer. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/json/json.hpp"
#include "control/iam/iam.hpp"

namespace andon::api {

// RoleSessionName. Throws invalid_argument.
[[nodiscard]] std::string read_session_name(const base::json::object& input);
// DurationSeconds, from a quarter of an hour on.
[[nodiscard]] std::chrono::seconds read_duration(const base::json::object& input,
                                                 std::int64_t standard, std::int64_t most);
[[nodiscard]] base::json::object credentials_of(const control::AccessKey& key);
// {"Credentials", "AssumedRoleUser", "PackedPolicySize"} of a session that is allowed already, for
// DurationSeconds (an hour, or as long as `longest`), with the input's Policy.
[[nodiscard]] base::json::object begin_session(control::Iam& iam, const base::json::object& input,
                                               const control::Entity& role,
                                               const std::string& session, std::int64_t longest);

}  // namespace andon::api
