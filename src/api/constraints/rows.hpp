// SPDX-License-Identifier: Apache-2.0
// Rows of the table: of the services that speak AWS's JSON with a target, whose operations differ
// in name, members and work alone; of those that speak JSON by method and path; of our own.
#pragma once

#include <functional>
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

// JSON by method and path. `work`, a function of `parts` and the context or a member of `parts`
// that takes the context, gives the output. `parts` is copied into the row; std::ref where it must
// not be.
template <typename Parts, typename Work>
[[nodiscard]] Operation rest_row(std::string_view service, std::string_view name,
                                 std::string_view method, std::string_view path, const Parts& parts,
                                 Work work) {
  return {service,
          name,
          Protocol::rest_json,
          method,
          path,
          200,
          [parts, work = std::move(work)](const OperationContext& context) -> base::json::value {
            return std::invoke(work, parts, context);
          }};
}

// The same of the service "andon", which no AWS has: below /andon/v1.
template <typename Parts, typename Work>
[[nodiscard]] Operation own_row(std::string_view name, std::string_view method,
                                std::string_view path, const Parts& parts, Work work) {
  return rest_row("andon", name, method, path, parts, std::move(work));
}

}  // namespace andon::api
