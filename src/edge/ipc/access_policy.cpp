// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/access_policy.hpp"

#include "edge/ipc/access_control.hpp"
#include "edge/ipc/ipc_call.hpp"
#include "recipe/recipe/interpolate.hpp"

namespace andon::edge {

void AccessPolicy::require(const std::string& component, const AccessRequest& request) const {
  if (component == kLocalOperator) return;
  const json::value* policies = configurations_.find_at(component, {"accessControl"});
  std::string problem;
  if (policies != nullptr) {
    try {
      const json::value resolved =
          recipe::interpolate_json(*policies, host_.context_of(component), "accessControl");
      recipe::Problems problems;
      const AccessControl access(resolved, problems);
      if (access.allows(request.service, request.operation, request.resource)) return;
      if (!problems.empty()) problem = " (" + recipe::to_text(problems) + ')';
    } catch (const base::Error& error) {
      problem = " (its accessControl cannot be read: " + error.message() + ')';
    }
  }
  throw IpcError("UnauthorizedError",
                 "component " + component + " may not do " + std::string(request.operation) +
                     " on '" + std::string(request.resource) + "': add it to accessControl." +
                     std::string(request.service) + " of its configuration" + problem);
}

}  // namespace andon::edge
