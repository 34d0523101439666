// SPDX-License-Identifier: Apache-2.0
// `andon model compare A B`: two models on the same pictures, how good, how fast, how alike.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Adds `compare` to `model`; `selected` is set to what main has to run when it was asked for.
void add_model_compare_command(CLI::App& model, std::function<int()>& selected);

}  // namespace andon::cli
