// SPDX-License-Identifier: Apache-2.0
// One question of a client that is to be provisioned, and its answer (fleet provisioning of AWS
// IoT). No network and no threads, so that it can be tested and fuzzed by itself.
#pragma once

#include <string>

#include "control/audit/audit_log.hpp"
#include "control/control_plane.hpp"
#include "control/provisioning/provisioner.hpp"
#include "control/shared/notifier.hpp"

namespace andon::api {

// All are kept by reference.
struct ProvisioningParts {
  control::ControlPlane& control;
  control::Notifier& notifier;
  control::AuditLog& audit;
  const control::AskHook& hook;
};

// `topic` is one of fleet::kQuestionFilter. Publishes the answer for the client that asked; waits
// for the hook, and for the audit log, which has each certificate that is given out, each place in
// the fleet, each refusal. Never throws: what is malformed or not allowed is answered with the
// codes of AWS, a defect is logged.
void answer_provisioning(const ProvisioningParts& parts, const std::string& topic,
                         const std::string& payload);

}  // namespace andon::api
