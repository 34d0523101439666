// SPDX-License-Identifier: Apache-2.0
// A path's value in a scope: the document that its '$' names, and what the path finds there.
// Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "asl/data/scope.hpp"
#include "query/jsonpath/json_path.hpp"

namespace andon::asl {

// Throws Failure(States.Runtime) for a variable that has not been assigned.
[[nodiscard]] Data document_of(const query::JsonPath& path, const Scope& scope);
[[nodiscard]] std::optional<Data> look_up(const query::JsonPath& path, const Scope& scope);
// The same, failing with AWS's sentence that names `field` ("value.$", "ErrorPath").
[[nodiscard]] Data require(const query::JsonPath& path, const Scope& scope, std::string_view field);

// `input` with `result` where a reference path leads. Throws
// Failure(States.ResultPathMatchFailure).
[[nodiscard]] Data insert_at(const query::JsonPath& path, const json::value& input,
                             const json::value& result);

}  // namespace andon::asl
