// SPDX-License-Identifier: Apache-2.0
// Runs a model once, by the andon-inspect that is on this device, on pictures of noise: what it
// takes in time and memory here. Blocks, a minute at most; for a program that has no other
// children.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edge/state/layout.hpp"

namespace andon::edge {

// In the PATH, else of a component that was deployed here; nothing where there is none.
[[nodiscard]] std::optional<fs::path> find_inspect(const Layout& layout);

struct ModelTrial {
  std::vector<double> ms;  // of each picture, from its bytes to its findings, but the first ones
  std::uint64_t peak_kib = 0;  // resident
};
// Throws failed_precondition with the program's own words where it cannot run the model.
[[nodiscard]] ModelTrial try_model(const fs::path& inspect, const fs::path& model);

}  // namespace andon::edge
