// SPDX-License-Identifier: Apache-2.0
// Scores that a network gives as logits. Internal to vision/.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace andon::vision {

[[nodiscard]] inline float sigmoid(float logit) {
  return 1.0F / (1.0F + std::exp(-logit));
}

// Logits at or below it have no score above `confidence`; a few above it have none either, so that
// what passes is compared once more. Spares most values their sigmoid.
[[nodiscard]] inline float logit_limit(float confidence) {
  constexpr float kLeast = 1e-6F;
  if (confidence <= kLeast) return -std::numeric_limits<float>::infinity();
  const float bounded = std::min(confidence, 1 - kLeast);
  return std::log(bounded / (1 - bounded)) - 1e-3F;
}

}  // namespace andon::vision
