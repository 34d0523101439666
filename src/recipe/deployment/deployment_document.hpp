// SPDX-License-Identifier: Apache-2.0
// The deployment document: what a server tells a device to run. One parser reads what an operator
// asks for (CreateDeployment) and what a device is sent, so that both doors take the same; written
// with the exact keys that every device reads. Values; pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "recipe/deployment/configuration.hpp"
#include "recipe/reader/problem.hpp"

namespace andon::recipe {

// What the processes of a component get at most; nothing: no limit.
struct ResourceLimits {
  std::optional<std::int64_t> memory_kib;
  std::optional<double> cpus;

  [[nodiscard]] bool empty() const { return !memory_kib && !cpus; }
  bool operator==(const ResourceLimits&) const = default;
};
// {"memory": KiB, "cpus": cores}, as `systemResourceLimits` has it. Throws invalid_argument naming
// the member.
[[nodiscard]] ResourceLimits parse_resource_limits(const base::JsonReader& reader);
[[nodiscard]] json::object to_json(const ResourceLimits& limits);

struct RunWith {
  std::string posix_user;  // "user:group", "user" or ""
  std::string windows_user;
  ResourceLimits limits = {};
};

struct ComponentDeployment {
  std::string version;  // exact version or a range
  ConfigurationUpdate configuration_update;
  std::optional<RunWith> run_with;
  // False where it is only configured, if somebody else wants it: in local deployments alone.
  bool is_root = true;
};

// A capability that a document may require: to take it on behalf of another group.
inline constexpr std::string_view kSubDeployments = "SUB_DEPLOYMENTS";
// To hold components to their ResourceLimits.
inline constexpr std::string_view kResourceLimits = "LINUX_RESOURCE_LIMITS";

enum class FailureHandling { rollback, do_nothing };
enum class UpdateAction { notify_components, skip_notify_components };

struct DeploymentDocument {
  std::string deployment_id;
  std::string deployment_name;
  std::string configuration_arn;
  std::string parent_target_arn;
  std::string on_behalf_of;
  std::int64_t creation_timestamp_ms = 0;
  std::map<std::string, ComponentDeployment> components;
  FailureHandling failure_handling = FailureHandling::rollback;
  UpdateAction update_action = UpdateAction::notify_components;
  std::chrono::seconds update_timeout{60};
  std::chrono::seconds validation_timeout{60};
  std::vector<std::string> required_capabilities;
};

enum class Strictness {
  // An operator's CreateDeployment: exact keys, AWS's limits, `merge` is JSON as text, the policies
  // lie in `deploymentPolicies`. Ids, ARNs and time are left empty; its other members are not read.
  request,
  // A document as a device gets it: keys in any case, limits only where a device has some.
  device,
};

// Never throws for what is in `value`: what is wrong is added to `problems`, and the result is then
// not to be used. Whatever is taken with `request` is taken with `device` once it is written.
[[nodiscard]] DeploymentDocument parse_deployment(const json::value& value, Strictness strictness,
                                                  Problems& problems);
// The text that a device gets. Throws invalid_argument with all problems.
[[nodiscard]] DeploymentDocument parse_deployment_document(std::string_view text);

[[nodiscard]] json::object to_json(const DeploymentDocument& document);

}  // namespace andon::recipe
