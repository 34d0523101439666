// SPDX-License-Identifier: Apache-2.0
// `andon demo --train`: what train-and-ship.asl.json needs on this machine (a data set, a
// repository, a trainer), and one execution of it, shown as it goes. One thread.
#pragma once

#include <vector>

#include "cli/demo/context.hpp"
#include "cli/demo/pipeline.hpp"

namespace andon::cli {

// Throws not_found or invalid_argument for what is missing, before anything is made.
void require_training(const DemoOptions& options);
// What the server has to show to jobs: programs, ONNX Runtime, the trainer, the repository.
std::vector<base::fs::path> shown_to_jobs(const DemoContext& demo);

// Draws pictures to learn from (the example's are those to measure by), and commits the trainer to
// a repository.
void prepare_training(DemoContext& demo);
// Applies training.template.yaml, starts the state machine, answers its question with an approval,
// and gives what was shipped. Throws failed_precondition with the pipeline's own reason where
// nothing was.
Shipped train_and_ship(DemoContext& demo);

}  // namespace andon::cli
