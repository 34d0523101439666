// SPDX-License-Identifier: Apache-2.0
// Room: form. AWS's query protocol (IAM, STS, CloudFormation): forms in, XML out.
// A form that names an operation, read into the input that the operation table has: names such as
// Tags.member.2.Key become lists and objects. With limits. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::api {

struct FormInput {
  std::string action;
  std::string version;
  base::json::object members;
};

inline constexpr std::size_t kMostFormBytes = 256U << 10U;

// `text` is application/x-www-form-urlencoded. Throws base::Error(invalid_argument).
[[nodiscard]] FormInput read_form(std::string_view text);

}  // namespace andon::api
