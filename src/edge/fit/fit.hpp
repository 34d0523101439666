// SPDX-License-Identifier: Apache-2.0
// Whether a component, or a model, would fit this device: what its recipe asks of the platform, the
// disk that its artifacts take, and, by running the model with the andon-inspect that is here, its
// memory and latency. Nothing of the device is changed. Blocks; with a model for programs that have
// no other children.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "edge/control/doctor.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::edge {

struct FitQuestion {
  std::string recipe;  // JSON or YAML; empty: only the model is asked about
  fs::path artifacts;  // that has COMPONENT/VERSION/FILE, for sizes that the recipe does not say
  fs::path model;      // an ONNX file; empty: only the recipe is asked about
  std::optional<double> most_ms;  // that a picture may take
};

// Throws what reading a recipe throws, and not_found for a model that is not there.
[[nodiscard]] std::vector<Finding> examine_fit(const Layout& layout, const FitQuestion& question);

// The parts of it that look at no machine.
[[nodiscard]] Finding platform_fit(const recipe::Recipe& recipe,
                                   const recipe::PlatformAttributes& own);
[[nodiscard]] Finding disk_fit(std::uint64_t needed_bytes, std::uint64_t free_bytes,
                               std::size_t unknown_sizes);
[[nodiscard]] Finding latency_fit(std::vector<double> ms, std::optional<double> most_ms);
[[nodiscard]] Finding memory_fit(std::uint64_t needed_kib, std::uint64_t free_kib);

}  // namespace andon::edge
