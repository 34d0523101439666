// SPDX-License-Identifier: Apache-2.0
// How far a device is with a deployment, andon's own: it travels in the statusDetails of a job that
// is IN_PROGRESS, beside what AWS IoT and Greengrass put there. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "fleet/messages/deployment_outcome.hpp"

namespace andon::fleet {

struct DeploymentProgress {
  std::string step;            // "downloading"; empty: nothing is known
  std::string component;       // that it is busy with; may be empty
  std::uint64_t bytes = 0;     // of a download, that are here
  std::uint64_t of_bytes = 0;  // of a download; 0: it is none
  std::string reason;          // what it waits for; may be empty

  bool operator==(const DeploymentProgress&) const = default;
};

[[nodiscard]] JobDetails to_job_details(const DeploymentProgress& progress);
// Whatever a device sent: empty where there is nothing of it.
[[nodiscard]] DeploymentProgress read_job_progress(const JobDetails& details);
// "downloading com.example.Model, 12.0 of 48.0 MB; the server cannot be reached"; empty where
// nothing is known.
[[nodiscard]] std::string describe(const DeploymentProgress& progress);

// The update that a device sends while it works on a job.
[[nodiscard]] json::object make_progress_update(std::string_view thing, std::string_view job_id,
                                                const DeploymentProgress& progress);

}  // namespace andon::fleet
