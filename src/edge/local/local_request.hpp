// SPDX-License-Identifier: Apache-2.0
// Room: local. What somebody at the device wants deployed, without any server: the request as
// CreateLocalDeployment has it, and the recipes and artifacts that lie in directories of the
// device. The request becomes a deployment document when its turn comes, for what it adds to and
// takes away from is what the device runs by then. Values; pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "edge/state/installed_set.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace andon::edge {

namespace fs = base::fs;

// The target of local deployments that name no thing group.
inline constexpr std::string_view kLocalTarget = "LOCAL_DEPLOYMENT";

struct LocalRequest {
  std::string group;                       // whose components it changes; empty: kLocalTarget
  std::map<std::string, std::string> add;  // version by root component
  std::set<std::string> remove;
  // What is no root component is configured all the same, where the device has it.
  std::map<std::string, recipe::ConfigurationUpdate> configurations;
  std::map<std::string, recipe::RunWith> run_with;
  fs::path recipes;    // directory; may be empty
  fs::path artifacts;  // directory with COMPONENT/VERSION/FILE; may be empty
  recipe::FailureHandling failure_handling = recipe::FailureHandling::rollback;
};

// Throws invalid_argument naming the member; for a request that would do nothing, too.
[[nodiscard]] LocalRequest read_local_request(const json::object& request);

// Job ids of local deployments, which no server gives.
[[nodiscard]] std::string local_job_id(std::string_view deployment_id);
[[nodiscard]] bool is_local_job(std::string_view job_id);
// Empty for any other job.
[[nodiscard]] std::string local_deployment_id(std::string_view job_id);

// The document as the journal keeps it: the request, to be read by parse_local_document().
[[nodiscard]] std::string local_document(const json::object& request);

struct LocalDeployment {
  LocalRequest request;
  recipe::DeploymentDocument document;
};
// What the request means on a device that runs `set`. Throws as read_local_request() does, and for
// a component that is to be removed and is not there.
[[nodiscard]] LocalDeployment parse_local_document(std::string_view text,
                                                   std::string_view deployment_id,
                                                   const InstalledSet& set);

}  // namespace andon::edge
