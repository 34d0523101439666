// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/extended_boxes.hpp"

#include "vision/findings/rows.hpp"
#include "vision/heads/detections.hpp"

namespace andon::vision {

const std::vector<Candidate>& ExtendedBoxes::find(const Session::Output& output, std::size_t item,
                                                  const DetectionOptions& options) {
  const auto height = static_cast<std::size_t>(output.shape[1]);
  width_ = static_cast<std::size_t>(output.shape[2]);
  values_ = output.values.subspan(item * height * width_, height * width_);
  std::vector<Candidate>& candidates = suppressor_.start();
  if (layout_ == Layout::rows) {
    find_rows({values_, classes_, width_}, options.confidence, candidates);
    return suppressor_.best(options);
  }
  find_candidates({values_, classes_, width_}, options.confidence, candidates);
  return suppressor_.suppress(options);
}

ExtendedBoxes::Extension ExtendedBoxes::extension_of(const Candidate& candidate) const {
  if (layout_ == Layout::rows) {
    return {values_.data() + candidate.anchor * width_ + kRowValues, 1};
  }
  return {values_.data() + (4 + classes_) * width_ + candidate.anchor, width_};
}

}  // namespace andon::vision
