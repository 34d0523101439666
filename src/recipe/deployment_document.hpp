// SPDX-License-Identifier: Apache-2.0
// The deployment document: what a server tells a device to run. Read with keys in any case, written
// with the exact keys that every device reads. Values; pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "recipe/configuration.hpp"
#include "recipe/problem.hpp"

namespace andon::recipe {

struct RunWith {
  std::string posix_user;  // "user:group", "user" or ""
  std::string windows_user;
  std::optional<std::int64_t> memory_kib;
  std::optional<double> cpus;
};

struct ComponentDeployment {
  std::string version;  // exact version or a range
  ConfigurationUpdate configuration_update;
  std::optional<RunWith> run_with;
};

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

struct DeploymentDocumentCheck {
  std::optional<DeploymentDocument> document;  // there if and only if there are no problems
  Problems problems;
};

[[nodiscard]] DeploymentDocumentCheck check_deployment_document(const json::value& value);
// Throws invalid_argument with all problems.
[[nodiscard]] DeploymentDocument parse_deployment_document(std::string_view text);
[[nodiscard]] DeploymentDocument read_deployment_document(const json::value& value);

[[nodiscard]] json::object to_json(const DeploymentDocument& document);

// The target of a configuration ARN ("...:configuration:thinggroup/G1:7" -> "thinggroup/G1"); the
// ARN itself where it is not of that form.
[[nodiscard]] std::string target_of(std::string_view configuration_arn);

}  // namespace andon::recipe
