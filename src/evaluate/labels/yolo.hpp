// SPDX-License-Identifier: Apache-2.0
// YOLO's labels: a text file a picture, a line an object, all of it in parts of the picture.
//   class centre_x centre_y width height            a box
//   class x1 y1 x2 y2 x3 y3 ...                     an outline, of which the box around it counts
//   class centre_x centre_y width height points...  a box with keypoints, which are left out
// https://docs.ultralytics.com/datasets/detect. They come from outside: everything is checked, and
// problems are told with file and line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/labels/dataset.hpp"
#include "evaluate/labels/problems.hpp"

namespace andon::evaluate {

inline constexpr std::size_t kMostYoloBytes = 16U << 20U;  // of a file
inline constexpr std::size_t kMostYoloRows = 100'000;
inline constexpr std::size_t kMostYoloClasses = 10'000;

struct YoloFormat {
  std::size_t classes = 0;          // 0: nobody says how many there are
  std::size_t keypoint_values = 0;  // behind each box; 0: there are none
};

// What is found while files are read; one for all files of a set.
struct YoloNotes {
  LabelProblems problems;
  Oddity without_area;
  Oddity over_border;
  Oddity doubled;

  void tell(std::vector<std::string>& warnings) const;
};

// The objects of one picture of this size, in pixels; a row that is there twice counts once, as
// Ultralytics has it. What is wrong is added to the notes and left out. `name`: of the file.
[[nodiscard]] std::vector<Truth> parse_yolo(std::string_view text, std::string_view name,
                                            const YoloFormat& format, vision::Size picture,
                                            YoloNotes& notes);

}  // namespace andon::evaluate
