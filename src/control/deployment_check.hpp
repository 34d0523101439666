// SPDX-License-Identifier: Apache-2.0
// Is what a deployment asks for there, and can the devices it is for take it? Asked before it is
// stored, within the caller's transaction, so that mistakes come back to who made them and not as
// a failure on every device.
#pragma once

#include <string>
#include <vector>

#include "control/deployment_request.hpp"
#include "store/database.hpp"

namespace andon::control {

// Throws not_found for an unknown target, invalid_argument for component versions that are not
// there and for dependencies that nothing can satisfy.
void check_deployment(store::Transaction& tx, const DeploymentRequest& request);

// Throws invalid_argument for a document over 128 KiB, and for one whose notification is larger
// than the 5000 bytes that a nucleus lite among `things` takes: the broker would drop it without a
// word and the device's queue would be stuck.
void check_document_size(store::Transaction& tx, const std::vector<std::string>& things,
                         const std::string& job_id, const std::string& document);

}  // namespace andon::control
