// SPDX-License-Identifier: Apache-2.0
// What a state machine may not call, so that no secret stands in a definition, in the state of an
// execution or in its history, which all hold what goes in and out of a task. Pure.
#pragma once

#include <string_view>

#include "base/json/json.hpp"

namespace andon::api {

// Operations whose every input or output is a secret.
[[nodiscard]] bool is_secret_operation(std::string_view scope, std::string_view operation);
// Throw ServiceError for a call, or an answer to it, that holds a secret.
void check_secret_input(std::string_view scope, std::string_view operation,
                        const base::json::object& input);
void check_secret_output(std::string_view scope, const base::json::object& input,
                         const base::json::value& output);

}  // namespace andon::api
