// SPDX-License-Identifier: Apache-2.0
// andon-inspect put together: everything that main owns, in the order in which it is made.
#pragma once

#include "inspect/options.hpp"

namespace andon::inspect {

// Runs until done or told to stop. Throws what keeps it from running: no ONNX Runtime, a model
// that cannot be used, an agent that does not answer, a wrong configuration.
void run_inspection(Options options);

}  // namespace andon::inspect
