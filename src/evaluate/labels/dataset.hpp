// SPDX-License-Identifier: Apache-2.0
// What is measured with: pictures with the truth about them, and what a model found in them.
// Plain values. Boxes are doubles, since labels are read as text and scores are compared with
// other tools to many digits. A class is an index into Dataset::categories everywhere here; a
// model's own class ids are translated by match_labels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "vision/heads/detections.hpp"

namespace andon::evaluate {

// In pixels of the picture; x and y are the top left corner.
struct Rectangle {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  [[nodiscard]] double area() const { return width * height; }
  bool operator==(const Rectangle&) const = default;
};
[[nodiscard]] double intersection_over_union(const Rectangle& left, const Rectangle& right);
// The share of `inner` that lies in `outer`.
[[nodiscard]] double share_inside(const Rectangle& inner, const Rectangle& outer);

struct Category {
  std::int64_t id = 0;  // as the labels have it; need not be dense
  std::string name;
};

// A labelled object.
struct Truth {
  std::size_t category = 0;
  Rectangle box;
  double area = 0;        // of the object: its outline's where the labels say so, else the box's
  bool is_crowd = false;  // a region of many: what is found in it is neither right nor wrong
};

struct LabelledImage {
  std::int64_t id = 0;
  std::string file_name;  // relative to the folder of pictures, if it lies there
  vision::Size size;      // 0x0 where the labels do not say
  std::vector<Truth> truths;
};

struct Dataset {
  std::vector<Category> categories;   // by id
  std::vector<LabelledImage> images;  // by id
  std::vector<std::string> warnings;  // what is odd and was kept: boxes without area, ...

  [[nodiscard]] std::size_t count_truths() const;
};

// Something that a model found.
struct Finding {
  std::size_t category = 0;
  double confidence = 0;
  Rectangle box;
};
using Findings = std::vector<Finding>;  // of one picture

// The files of a dataset's pictures, in its order. Throws not_found that counts and names those
// that are missing from `directory`.
[[nodiscard]] std::vector<base::fs::path> image_files(const Dataset& dataset,
                                                      const base::fs::path& directory);
// For each class of a model its category of the dataset, by name; kNoCategory where the dataset
// has none. A model without names of its own ("class 0", ...) is matched by order if the counts
// are equal, and a dataset without names by number. Throws invalid_argument, with both lists, where
// labelled objects have a category that the model does not know: its figures would mean nothing.
inline constexpr std::size_t kNoCategory = SIZE_MAX;
[[nodiscard]] std::vector<std::size_t> match_labels(const Dataset& dataset,
                                                    std::span<const std::string> model_labels);

// Findings of classes without a category are left out.
[[nodiscard]] Findings to_findings(std::span<const vision::Detection> detections,
                                   std::span<const std::size_t> category_of_class);

}  // namespace andon::evaluate
