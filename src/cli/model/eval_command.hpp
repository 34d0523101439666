// SPDX-License-Identifier: Apache-2.0
// `andon model eval MODEL`: how good a model is on labelled pictures.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Adds `eval` to `model`; `selected` is set to what main has to run when it was asked for.
void add_model_eval_command(CLI::App& model, std::function<int()>& selected);

}  // namespace andon::cli
