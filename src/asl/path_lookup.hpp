// SPDX-License-Identifier: Apache-2.0
// A path's value in a scope: the document that its '$' names, and what the path finds there.
// Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "asl/json_path.hpp"
#include "asl/scope.hpp"

namespace andon::asl {

// Throws Failure(States.Runtime) for a variable that has not been assigned.
[[nodiscard]] Data document_of(const JsonPath& path, const Scope& scope);
[[nodiscard]] std::optional<Data> look_up(const JsonPath& path, const Scope& scope);
// The same, failing with AWS's sentence that names `field` ("value.$", "ErrorPath").
[[nodiscard]] Data require(const JsonPath& path, const Scope& scope, std::string_view field);

}  // namespace andon::asl
