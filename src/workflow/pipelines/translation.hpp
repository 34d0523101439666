// SPDX-License-Identifier: Apache-2.0
// A pipeline as a state machine. Each step is a Task state of its name, which only names the step:
// what its expressions stand for is looked up when it begins, so no state is larger than AWS
// allows. Steps that need nothing of each other run side by side in a Parallel state; a condition
// is a task and the Choice upon its outcome; retry policies are Retry. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "workflow/pipelines/definition.hpp"

namespace andon::workflow {

inline constexpr const char* kStepResource = "arn:andon:states:::sagemaker:step.sync";
inline constexpr const char* kConditionResource = "arn:andon:states:::sagemaker:condition";

// `most_at_once`: of steps side by side.
[[nodiscard]] json::object to_state_machine(const PipelineDefinition& definition,
                                            const std::string& pipeline,
                                            std::optional<std::size_t> most_at_once);

}  // namespace andon::workflow
