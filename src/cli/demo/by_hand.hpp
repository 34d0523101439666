// SPDX-License-Identifier: Apache-2.0
// What the pipeline does, but for its QA stage, by the demo's own calls: for a machine on which
// functions cannot be held in their sandbox (a container without namespaces, no python3).
#pragma once

#include <optional>
#include <string>

#include "cli/demo/pipeline.hpp"

namespace andon::cli {

// Why functions do not run on this machine; nothing where they do. After apply_pipeline().
std::optional<std::string> why_no_functions(DemoContext& demo);

// Approves the package, makes the model's component and deploys it with the program. Throws
// failed_precondition with the device's own reason where the deployment fails.
Shipped ship_by_hand(DemoContext& demo, const ModelParts& model, const std::string& version,
                     const std::string& package);

}  // namespace andon::cli
