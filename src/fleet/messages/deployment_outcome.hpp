// SPDX-License-Identifier: Apache-2.0
// What a device says of a deployment: its status as a job of AWS IoT and, as Greengrass has it, the
// details. They travel in three forms: as texts in a job's statusDetails, and as an object in
// health messages and in the shadow. Values; pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json_reader.hpp"
#include "fleet/messages/limits.hpp"

namespace andon::fleet {

enum class JobStatus {
  queued,       // the device has not taken it yet
  in_progress,  // the device works on it
  succeeded,
  failed,
  rejected,   // the device would not take it
  timed_out,  // it was in progress for too long
  canceled,   // by the operator, a newer revision or the device's leaving the group
};
[[nodiscard]] std::string_view to_string(JobStatus status);  // "IN_PROGRESS"
[[nodiscard]] std::optional<JobStatus> parse_job_status(std::string_view text);
[[nodiscard]] bool is_terminal(JobStatus status);

// How it ended, as andon's agent says it; other devices have further words.
enum class DetailedStatus {
  successful,
  rejected,
  failed_no_state_change,         // before anything was changed
  failed_rollback_not_requested,  // the set that failed stays
  failed_rollback_complete,       // the last good set runs again
  failed_unable_to_rollback,
};
[[nodiscard]] std::string_view to_string(DetailedStatus status);  // "FAILED_ROLLBACK_COMPLETE"

struct DeploymentDetails {
  std::string detailed_status;  // a DetailedStatus in words, or another device's word
  std::string failure_cause;    // for people
  std::vector<std::string> error_stack;
  std::vector<std::string> error_types;
};

// What a device reports of one job.
struct DeploymentOutcome {
  JobStatus status = JobStatus::in_progress;
  DeploymentDetails details;
};

// The object in health messages and in the shadow. Throws invalid_argument for members of another
// type.
[[nodiscard]] json::object to_json(const DeploymentDetails& details);
[[nodiscard]] DeploymentDetails read_deployment_details(const base::JsonReader& reader);

// The statusDetails of a job: nothing empty is in it, lists are JSON as text.
using JobDetails = std::map<std::string, std::string>;
[[nodiscard]] JobDetails to_job_details(const DeploymentDetails& details);
// Whatever a device sent: a list that is none counts as empty.
[[nodiscard]] DeploymentDetails read_job_details(const JobDetails& details);

}  // namespace andon::fleet
