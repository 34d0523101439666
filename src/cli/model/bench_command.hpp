// SPDX-License-Identifier: Apache-2.0
// `andon model bench MODEL`: how fast a model is on this machine.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Adds `bench` to `model`; `selected` is set to what main has to run when it was asked for.
void add_model_bench_command(CLI::App& model, std::function<int()>& selected);

}  // namespace andon::cli
