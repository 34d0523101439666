// SPDX-License-Identifier: Apache-2.0
// This room is andon-inspect put together: its options, the parts that it is made of, and the main
// loop (Service) that moves frames from the source to where results go.
#pragma once

#include "inspect/program/options.hpp"

namespace andon::inspect {

// Runs until done or told to stop. Throws what keeps it from running: no ONNX Runtime, a model
// that cannot be used, an agent that does not answer, a wrong configuration.
void run_inspection(Options options);

}  // namespace andon::inspect
