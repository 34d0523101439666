// SPDX-License-Identifier: Apache-2.0
// Opens a model as `andon model inspect` does, in a process of its own that may be given up: what
// the model registry asks before a model is approved. Any thread.
#pragma once

#include <chrono>

#include "base/os/file.hpp"
#include "control/models/model_checks.hpp"

namespace andon::server {

// Beside this program, or on the PATH; empty where there is none.
[[nodiscard]] base::fs::path find_andon();

// not_checked where `andon` or ONNX Runtime is missing, or it takes longer than `patience`.
[[nodiscard]] control::ModelCheck open_with_andon(
    const base::fs::path& andon, const base::fs::path& model,
    std::chrono::milliseconds patience = std::chrono::minutes(1));

}  // namespace andon::server
