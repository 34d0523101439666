// SPDX-License-Identifier: Apache-2.0
// `andon model inspect FILE`: what is in a model and where its time goes.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_model_inspect_command(CLI::App& model, std::function<int()>& selected);

}  // namespace andon::cli
