// SPDX-License-Identifier: Apache-2.0
// `andon model optimize`: a smaller, faster model, behind a gate that has to hold.
#pragma once

#include <functional>
#include <string>

#include "base/json/fwd.hpp"
#include "model/quantise/optimization_report.hpp"

namespace CLI {
class App;
}

namespace andon::cli {

// Adds `optimize` to the subcommand `model`, which is made if it is not there.
void add_model_optimize_commands(CLI::App& app, std::function<int()>& selected);

// What --json prints and report.json holds.
[[nodiscard]] base::json::object to_json(const model::OptimizationReport& report);

// The gate did not hold: nothing was written to --out.
inline constexpr int kGateFailed = 20;

}  // namespace andon::cli
