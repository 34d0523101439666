// SPDX-License-Identifier: Apache-2.0
// Random draws that are the same on every machine for the same seed: the standard library fixes
// its engines but not its distributions, so these are our own.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace metal_tags {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // Evenly in [low, high).
  double uniform(double low, double high) {
    constexpr double kUnit = 1.0 / 9007199254740992.0;  // 2^-53
    return low + (high - low) * static_cast<double>(engine_() >> 11U) * kUnit;
  }
  // Evenly in [low, high], both included.
  int integer(int low, int high) {
    return low + static_cast<int>(uniform(0, static_cast<double>(high - low) + 1));
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }
  double normal(double deviation) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));
    return deviation * radius * std::cos(2 * std::numbers::pi * uniform(0, 1));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace metal_tags
