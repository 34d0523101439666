// SPDX-License-Identifier: Apache-2.0
// How far a deployment is on its devices, in bounded answers. Any thread; each call is one
// transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/deployments/device_jobs.hpp"
#include "control/shared/page.hpp"
#include "fleet/messages/deployment_progress.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// One device of a deployment.
struct DeviceProgress {
  std::string thing;
  JobStatus status = JobStatus::queued;
  base::Timestamp modified;
  std::string reason;                  // as the device has said it; may be empty
  fleet::DeploymentProgress progress;  // of one that is IN_PROGRESS, where the device tells of it
  std::vector<std::string> error_stack;
  std::vector<std::string> error_types;
};

struct ProgressFilter {
  std::optional<JobStatus> status;
  std::string thing;  // empty: each
};

// By thing. Devices that a rollout has not come to are not there.
[[nodiscard]] Page<DeviceProgress> progress_of(store::Database& database,
                                               const std::string& deployment_id,
                                               const ProgressFilter& filter,
                                               const PageRequest& page);
// How many are how far.
[[nodiscard]] std::map<JobStatus, std::int64_t> progress_tally(store::Database& database,
                                                               const std::string& deployment_id);

}  // namespace andon::control
