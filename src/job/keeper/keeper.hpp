// SPDX-License-Identifier: Apache-2.0
// The keeper of one job: starts it in its sandbox, keeps what it writes, holds it to its limits,
// and leaves a result. It is a process of its own (andon-job), so that a job outlives the server
// that ordered it and is found again; it ends with its job, and the job ends with it.
#pragma once

#include "job/order/job_directory.hpp"

namespace andon::job {

// The file below /job whose change is a heartbeat, beside any output.
inline constexpr const char* kHeartbeatFile = ".heartbeat";

// Runs the job that is ordered there, until it has ended or SIGTERM asks it to, and gives how that
// was. Blocks signals; for a process with one thread.
[[nodiscard]] JobResult run_job(const JobDirectory& directory, const JobOrder& order);

// Starts `program` (andon-job) for the job ordered there, and returns when it holds the lock.
// Throws base::Error where it cannot.
void start_keeper(const fs::path& program, const JobDirectory& directory);

// What andon-job does: becomes the keeper in the background; the exit code of the first process.
[[nodiscard]] int keep_in_background(const JobDirectory& directory);

}  // namespace andon::job
