// SPDX-License-Identifier: Apache-2.0
// Files into a job's directory before it runs, and out of it when it has ended. What it leaves
// there is hostile: no link is followed, nothing but a plain file is read.
#pragma once

#include <string>

#include "api/tasks/job_parameters.hpp"
#include "job/order/job_directory.hpp"
#include "store/objects/object_store.hpp"

namespace andon::api {

// All of the inputs, and makes them the job's. Throws TaskFailure(Job.InvalidInput).
void put_inputs(const JobParameters& job, const job::JobDirectory& directory,
                store::ObjectStore& objects);
// The outputs: {"model.onnx": {"Bucket", "Key", "ETag", "ContentLength", "Sha256"}}; one that is
// optional and not there has no member. Throws TaskFailure(Job.InvalidOutput).
[[nodiscard]] base::json::object take_outputs(const JobParameters& job,
                                              const job::JobDirectory& directory,
                                              store::ObjectStore& objects);

inline constexpr const char* kResultFile = ".result";
// What it wrote into its result file; null where it wrote none.
[[nodiscard]] base::json::value take_result(const job::JobDirectory& directory);

}  // namespace andon::api
