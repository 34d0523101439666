// SPDX-License-Identifier: Apache-2.0
// Rows of the table: of the services that speak AWS's JSON with a target, whose operations differ
// in name, members and work alone; and of our own operations.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "api/constraints/constraints.hpp"
#include "api/table/operation.hpp"

namespace andon::api {

struct JsonService {
  std::string_view name;  // of the credential scope
  Protocol protocol = Protocol::aws_json_1_1;
  std::string_view invalid = "ValidationException";  // the code for a member that breaks its rule
};

// The members are checked, then `work(parts, context)` gives the output. `parts` is copied into the
// row: of references and settings.
template <typename Parts, typename Work>
[[nodiscard]] Operation json_row(const JsonService& service, std::string_view name,
                                 const Parts& parts, Work work,
                                 std::vector<MemberRule> rules = {}) {
  return {service.name,
          name,
          service.protocol,
          "",
          "",
          200,
          [parts, rules = std::move(rules), work = std::move(work),
           invalid = service.invalid](const OperationContext& context) -> base::json::value {
            check_members(context.input, rules, invalid);
            return work(parts, context);
          }};
}

// Of the service "andon", which no AWS has: JSON by method and path below /andon/v1. `parts` is
// copied into the row; std::ref where it must not be.
template <typename Parts, typename Work>
[[nodiscard]] Operation own_row(std::string_view name, std::string_view method,
                                std::string_view path, const Parts& parts, Work work) {
  return {"andon",
          name,
          Protocol::rest_json,
          method,
          path,
          200,
          [parts, work = std::move(work)](const OperationContext& context) -> base::json::value {
            return work(parts, context);
          }};
}

}  // namespace andon::api
