// SPDX-License-Identifier: Apache-2.0
#include "inspect/uploads/upload_rules.hpp"

#include <algorithm>

namespace andon::inspect {

std::string_view to_string(UploadReason reason) {
  switch (reason) {
    case UploadReason::below:
      return "below";
    case UploadReason::between:
      return "between";
    case UploadReason::sample:
      return "sample";
  }
  return "";
}

std::optional<UploadReason> why_upload(std::optional<double> best_score, const UploadRules& rules,
                                       double draw) {
  if (best_score.value_or(0) < rules.below) return UploadReason::below;
  if (best_score && *best_score >= rules.low && *best_score <= rules.high) {
    return UploadReason::between;
  }
  if (draw < rules.sample) return UploadReason::sample;
  return std::nullopt;
}

double lowest_score(const UploadRules& rules) {
  return rules.below > 0 ? std::min(rules.below, rules.low) : rules.low;
}

}  // namespace andon::inspect
