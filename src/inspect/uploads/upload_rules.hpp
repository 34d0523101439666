// SPDX-License-Identifier: Apache-2.0
// Which pictures are worth a person's eye: those the model is unsure of, and a random few of all,
// so that what it is wrongly sure of is seen too. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace andon::inspect {

enum class UploadReason {
  below,    // the best score is below the threshold; a picture without any detection has 0
  between,  // the best score lies in the band of doubt
  sample,   // by chance
};
[[nodiscard]] std::string_view to_string(UploadReason reason);

struct UploadRules {
  double below = 0;  // 0: off
  // The band includes its ends; a picture without any detection is not in it.
  double low = 0.25;
  double high = 0.5;
  double sample = 0;  // of all pictures, 0 to 1
  bool operator==(const UploadRules&) const = default;
};

// `draw` is a random number, 0 <= draw < 1. The first reason that applies, in the order above.
[[nodiscard]] std::optional<UploadReason> why_upload(std::optional<double> best_score,
                                                     const UploadRules& rules, double draw);

// The lowest score that the rules must see to decide.
[[nodiscard]] double lowest_score(const UploadRules& rules);

}  // namespace andon::inspect
