// SPDX-License-Identifier: Apache-2.0
// Is what a deployment asks for there, and can the devices it is for take it? Asked before it is
// stored, so that mistakes come back to who made them and not as a failure on every device.
#pragma once

#include <string>
#include <vector>

#include "control/requests/deployment_request.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// A nucleus lite takes packets of at most 5000 bytes: the rest is what surrounds the document in a
// notify-next message, but for the thing's name, which stands in it twice, and the job's id: MQTT's
// header, the topic's fixed part, and the execution's other members with all numbers at their
// longest.
inline constexpr std::size_t kLitePacketBytes = 5000;
inline constexpr std::size_t kNotificationOverhead = 420;

// A version of a component that the deployment would be resolved to.
struct ChosenVersion {
  std::string component;
  std::string version;
};

// Throws not_found for an unknown target, invalid_argument for component versions that are not
// there or DEPRECATED, for dependencies that nothing can satisfy, and for recipes that a nucleus
// lite among the target's things could not run. Parses recipes: not for a write transaction.
[[nodiscard]] std::vector<ChosenVersion> check_deployment(store::Transaction& tx,
                                                          const DeploymentRequest& request,
                                                          const Arns& arns);
// Is all that check_deployment() saw still there? Quick: for the transaction that stores it.
[[nodiscard]] bool is_still_good(store::Transaction& tx, const DeploymentRequest& request,
                                 const std::vector<ChosenVersion>& chosen);

// Throws invalid_argument for a document over 128 KiB, and for one whose notification is larger
// than the 5000 bytes that a nucleus lite among the target's things takes: the broker would drop it
// without a word and the device's queue would be stuck.
void check_document_size(store::Transaction& tx, const Target& target, const std::string& job_id,
                         const std::string& document);

}  // namespace andon::control
