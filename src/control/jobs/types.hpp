// SPDX-License-Identifier: Apache-2.0
// Room: jobs. Jobs of AWS IoT: any document, for any agent on devices. Values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "fleet/messages/job_message.hpp"
#include "fleet/rollout/rollout_rules.hpp"

namespace andon::control {

namespace json = base::json;

inline constexpr std::size_t kMostJobDocumentBytes = 32'768;  // of AWS
inline constexpr std::size_t kMostJobTargets = 100;
inline constexpr std::int64_t kMostIotJobs = 10'000;
inline constexpr std::int64_t kMostJobTemplates = 100;

enum class IotJobState : std::uint8_t {
  scheduled,  // its start lies ahead
  in_progress,
  canceled,
  completed,
  deletion_in_progress,
};
[[nodiscard]] std::string_view to_string(IotJobState state);
[[nodiscard]] std::optional<IotJobState> parse_iot_job_state(std::string_view text);

enum class TargetSelection : std::uint8_t { snapshot, continuous };  // continuous: joiners, too
[[nodiscard]] std::string_view to_string(TargetSelection selection);

enum class Force : std::uint8_t { no, yes };  // also what a device works on

// What a job and a template have in common.
struct JobPlan {
  std::string document;         // JSON
  std::string document_source;  // where it came from; may be empty
  std::string description;
  // jobExecutionsRolloutConfig, abortConfig, timeoutConfig, jobExecutionsRetryConfig and
  // schedulingConfig (of a template only its maintenanceWindows), those that were given.
  json::object configuration;
};

struct NewIotJob {
  std::string id;
  std::vector<std::string> targets;  // ARNs of things and groups
  TargetSelection selection = TargetSelection::snapshot;
  JobPlan plan;
  std::string template_arn;
};

struct IotJob {
  std::string id;
  std::string arn;
  std::vector<std::string> targets;  // ARNs
  TargetSelection selection = TargetSelection::snapshot;
  JobPlan plan;
  std::string template_arn;
  IotJobState state = IotJobState::in_progress;
  std::string reason_code;
  std::string comment;
  bool is_force_canceled = false;
  bool is_rolling_out = false;                 // devices of its targets have still to be told
  bool is_ended = false;                       // its end time has passed: nobody else is told
  std::optional<base::Timestamp> next_window;  // where it has maintenance windows
  base::Timestamp created;
  base::Timestamp updated;
  std::optional<base::Timestamp> completed;
  fleet::JobCounts counts;
};

struct JobTemplate {
  std::string id;
  std::string arn;
  JobPlan plan;
  base::Timestamp created;
};

}  // namespace andon::control
