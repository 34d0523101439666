// SPDX-License-Identifier: Apache-2.0
#include "vision/draw/label_layout.hpp"

#include <algorithm>
#include <cstddef>

namespace andon::vision {
namespace {

// What a later place costs against one before it, in shares of the label that may cover others.
constexpr double kCostOfPlace = 0.03;

struct Plate {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

double shared(const Plate& a, const Plate& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

Plate plate_of(const Box& box) {
  return {double{box.x}, double{box.y}, double{box.x} + double{box.width},
          double{box.y} + double{box.height}};
}

class Layout {
 public:
  Layout(std::span<const Label> labels, Size picture) : picture_(picture) {
    for (const Label& label : labels) boxes_.push_back(plate_of(label.box));
  }

  std::optional<LabelCorner> place(const Label& label, std::size_t number) {
    if (!(label.width > 0 && label.height > 0)) return std::nullopt;
    if (label.width > picture_.width || label.height > picture_.height) return std::nullopt;
    std::optional<Plate> best;
    double least = 0;
    double extra = 0;
    for (const LabelCorner& corner : corners_at(label, boxes_[number])) {
      const Plate plate = moved_inside(corner, label);
      const double cost = extra + covered(plate, label, number);
      extra += kCostOfPlace;
      if (is_taken(plate) || (best && cost >= least)) continue;
      best = plate;
      least = cost;
    }
    if (!best) return std::nullopt;
    taken_.push_back(*best);
    return LabelCorner{best->left, best->top};
  }

 private:
  // Above and below the box, then inside it at its edges, then beside it.
  [[nodiscard]] std::vector<LabelCorner> corners_at(const Label& label, const Plate& box) const {
    // Of a box that reaches over the border only what can be seen.
    const Plate seen{std::max(box.left, 0.0), std::max(box.top, 0.0),
                     std::min<double>(box.right, picture_.width),
                     std::min<double>(box.bottom, picture_.height)};
    const double at_right = seen.right - label.width;
    const double above = seen.top - label.height;
    const double at_bottom = seen.bottom - label.height;
    const double beside = seen.left - label.width;
    std::vector<LabelCorner> corners;
    // Moved inside the picture such a label would lie inside the box, which comes later.
    if (above >= 0) corners.insert(corners.end(), {{seen.left, above}, {at_right, above}});
    if (seen.bottom + label.height <= picture_.height) {
      corners.insert(corners.end(), {{seen.left, seen.bottom}, {at_right, seen.bottom}});
    }
    corners.insert(corners.end(), {{seen.left, seen.top},
                                   {at_right, seen.top},
                                   {seen.left, at_bottom},
                                   {at_right, at_bottom}});
    for (double top = seen.top; corners.size() < kMostCorners; top += label.height) {
      if (seen.right + label.width <= picture_.width) corners.push_back({seen.right, top});
      if (beside >= 0) corners.push_back({beside, top});
      if (top + 1.5 * label.height > seen.bottom) break;
    }
    // Rows inside the box, where nothing else is free.
    for (double top = seen.top + label.height; top + label.height < at_bottom;
         top += label.height) {
      corners.push_back({seen.left, top});
      if (corners.size() > 2 * kMostCorners) break;
    }
    return corners;
  }

  [[nodiscard]] Plate moved_inside(const LabelCorner& corner, const Label& label) const {
    const double left = std::clamp(corner.left, 0.0, picture_.width - label.width);
    const double top = std::clamp(corner.top, 0.0, picture_.height - label.height);
    return {left, top, left + label.width, top + label.height};
  }

  [[nodiscard]] bool is_taken(const Plate& plate) const {
    return std::ranges::any_of(taken_,
                               [&](const Plate& other) { return shared(plate, other) > 0; });
  }

  // The largest share of the label that lies on one other box.
  [[nodiscard]] double covered(const Plate& plate, const Label& label, std::size_t number) const {
    double most = 0;
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (i != number) most = std::max(most, shared(plate, boxes_[i]));
    }
    return most / (label.width * label.height);
  }

  static constexpr std::size_t kMostCorners = 24;

  Size picture_;
  std::vector<Plate> boxes_;
  std::vector<Plate> taken_;
};

}  // namespace

std::vector<std::optional<LabelCorner>> place_labels(std::span<const Label> labels, Size picture) {
  Layout layout(labels, picture);
  std::vector<std::optional<LabelCorner>> corners;
  for (std::size_t i = 0; i < labels.size(); ++i) corners.push_back(layout.place(labels[i], i));
  return corners;
}

}  // namespace andon::vision
