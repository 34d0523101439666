// SPDX-License-Identifier: Apache-2.0
// Boxes of networks that pick their best themselves: a row each, with its score and class.
// Internal to vision/.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vision/findings/suppression.hpp"

namespace andon::vision {

// [boxes][left, top, right, bottom, score, class, ...], in input pixels.
struct RowOutput {
  std::span<const float> values;
  std::size_t classes = 0;
  std::size_t width = 0;  // of a row
};
inline constexpr std::size_t kRowValues = 6;  // of which that much is read

// Appends each row that scores more than `confidence`. Rows without an area, with a class that is
// not a number or out of range count as none.
void find_rows(const RowOutput& output, float confidence, std::vector<Candidate>& candidates);

// The same of [centre x, centre y, width, height, score, class], in parts of an input.
void find_centred_rows(const RowOutput& output, Size input, float confidence,
                       std::vector<Candidate>& candidates);

}  // namespace andon::vision
