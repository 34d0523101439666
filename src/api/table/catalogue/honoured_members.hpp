// SPDX-License-Identifier: Apache-2.0
// Which members of its input each operation of the JSON APIs honours: the one table (S3 has its
// own, s3/parameters.hpp). A member of AWS's model that is not in it is refused by name, so that
// nobody takes for granted what this server does not do. docs/operator-api.md shows it, and a test
// compares it with AWS's own models. Pure; any thread.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/json/json.hpp"

namespace andon::api {

// The members of one object: "name parent{child other{...}} map{*{...}} more". What stands without
// braces may hold anything; a list stands for its elements, "*" for every key of a map.
// Throws base::Error: internal where the table has no such operation, unsupported naming the first
// member of `input` that is not honoured. Null is absent.
void check_honoured(std::string_view service, std::string_view operation,
                    const base::json::object& input);

// Every operation of the table, service and name.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> honoured_operations();
[[nodiscard]] bool has_honoured_members(std::string_view service, std::string_view operation);

}  // namespace andon::api
