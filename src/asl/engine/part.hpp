// SPDX-License-Identifier: Apache-2.0
// What the parts of the engine have in common: the step, the data of the branch that is worked on,
// and each other. Internal to asl; a part lives for one step.
#pragma once

#include "asl/engine/evaluation.hpp"
#include "asl/engine/step_writer.hpp"

namespace andon::asl {

struct Parts;  // engine.hpp

class Part {
 protected:
  explicit Part(Parts& parts);

  Parts& parts_;
  StepWriter& step_;
  Evaluation& data_;
  ExecutionState& execution_;
};

}  // namespace andon::asl
