// SPDX-License-Identifier: Apache-2.0
// The named shadow AWSManagedGreengrassV2Deployment, in which classic Greengrass devices find the
// deployment of their thing and report on it. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "fleet/messages/deployment_outcome.hpp"

namespace andon::fleet {

// state.desired: the deployment and what shall become of it (succeeded, or canceled).
[[nodiscard]] json::object make_desired(std::string_view document, JobStatus wanted);

// state.reported, as far as it is about a deployment.
struct ShadowReport {
  std::string configuration_arn;
  DeploymentOutcome outcome;
};
[[nodiscard]] json::object to_json(const ShadowReport& report);
// Nothing where it is about none. Throws invalid_argument naming what is malformed.
[[nodiscard]] std::optional<ShadowReport> read_shadow_report(const json::object& reported);

// A shadow as the device hears of it: the deployment that its thing is to have.
struct DesiredDeployment {
  std::string document;           // JSON text
  std::string configuration_arn;  // of the document
  bool is_cancelled = false;
  std::int64_t version = 0;  // of the shadow
  // It was reported as ended, by this device or one before it.
  bool has_ended = false;
};
// Nothing where none is desired. Throws invalid_argument naming what is malformed.
[[nodiscard]] std::optional<DesiredDeployment> read_desired_deployment(std::string_view payload);
// What the device publishes then.
[[nodiscard]] json::object make_report_update(const ShadowReport& report);

// What a device publishes to change its shadow.
struct ShadowUpdate {
  json::object reported;
  std::optional<std::int64_t> version;  // that it knows
};
[[nodiscard]] ShadowUpdate read_shadow_update(const json::object& request);

// The shadow as it is told: {"state": {"desired", "reported"}, "version", "timestamp"}.
[[nodiscard]] json::object make_shadow(json::object state, std::int64_t version,
                                       base::Timestamp now);
// The payload of .../rejected; the codes are those of HTTP.
[[nodiscard]] json::object make_shadow_rejection(int code, std::string_view message,
                                                 base::Timestamp now);

}  // namespace andon::fleet
