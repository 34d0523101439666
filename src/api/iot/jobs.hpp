// SPDX-License-Identifier: Apache-2.0
// Jobs of AWS IoT and their templates, as operations. All must outlive what is made here.
#pragma once

#include <vector>

#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "control/control_plane.hpp"
#include "store/objects/object_store.hpp"

namespace andon::api {

// A documentSource is read in the name of the caller (s3:GetObject), when the job is made.
[[nodiscard]] std::vector<Operation> iot_job_operations(control::ControlPlane& control,
                                                        const InternalCalls& calls,
                                                        const store::ObjectStore& objects);

}  // namespace andon::api
