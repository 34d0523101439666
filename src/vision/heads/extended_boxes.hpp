// SPDX-License-Identifier: Apache-2.0
// Boxes that have more values than a detector's: weights of a mask, keypoints. A column each, as
// the yolov8 head has its boxes, or a row each, as the end_to_end head. Keeps its memory between
// pictures; belongs to one thread at a time. Internal to vision/.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vision/findings/suppression.hpp"
#include "vision/runtime/session.hpp"

namespace andon::vision {

class ExtendedBoxes {
 public:
  enum class Layout { columns, rows };

  ExtendedBoxes(Layout layout, std::size_t classes) : layout_(layout), classes_(classes) {}

  // Those of picture `item` of a batch that are kept, best first: until the next call, as is
  // `output`. Columns are suppressed where they overlap; rows the network has picked itself.
  const std::vector<Candidate>& find(const Session::Output& output, std::size_t item,
                                     const DetectionOptions& options);

  // Values `pitch` apart.
  struct Extension {
    const float* values;
    std::size_t pitch;
  };
  // What the candidate of find() has beside its box and its classes.
  [[nodiscard]] Extension extension_of(const Candidate& candidate) const;

 private:
  const Layout layout_;
  const std::size_t classes_;
  std::span<const float> values_;  // of the picture
  std::size_t width_ = 0;          // of a row or, of columns, how many there are
  Suppressor suppressor_;
};

}  // namespace andon::vision
