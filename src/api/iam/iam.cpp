// SPDX-License-Identifier: Apache-2.0
#include "api/iam/iam.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/iam/rows.hpp"

namespace andon::api {

std::vector<Operation> iam_operations(control::Iam& iam, const control::AuditLog* audit) {
  std::vector<Operation> all;
  for (auto* part : {user_operations, group_operations, role_operations, policy_operations,
                     held_policy_operations, oidc_operations, simulation_operations}) {
    std::ranges::move(part(iam), std::back_inserter(all));
  }
  std::ranges::move(access_key_operations(iam, audit), std::back_inserter(all));
  // Scripts ask for it to show where they are.
  all.push_back(iam_row(
      iam, "ListAccountAliases", [](control::Iam&, const OperationContext& context) -> json::value {
        (void)read_iam_page(context.input);
        return json::object{{"AccountAliases", json::array{}}, {"IsTruncated", false}};
      }));
  return all;
}

}  // namespace andon::api
