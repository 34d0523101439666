// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>

#include "vision/heads.hpp"
#include "vision/suppression.hpp"

namespace andon::vision {
namespace {

struct Row {
  const float* values;  // centre x, centre y, width, height, objectness, a score a class
  std::size_t anchor;
};

Corners centred(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

// YOLOv5 (boxes in input pixels) and YOLOX (in its own grids): [anchors][5+classes].
class RowHead final : public Head {
 public:
  explicit RowHead(const HeadPlan& plan)
      : classes_(plan.classes), is_in_grid_(plan.kind == HeadKind::yolox && !plan.is_decoded) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const auto anchors = static_cast<std::size_t>(output.shape[1]);
    const std::size_t width = 5 + classes_;
    const float* values = output.values.data() + item * anchors * width;
    std::vector<Candidate>& candidates = suppressor_.start();
    for (std::size_t anchor = 0; anchor < anchors; ++anchor, values += width) {
      if (!(values[4] > options.confidence)) continue;
      add({values, anchor}, options.confidence, plan.target, candidates);
    }
    map_back(suppressor_.suppress(options), plan, into.detections);
  }

 private:
  void add(const Row& row, float confidence, Size input, std::vector<Candidate>& candidates) const {
    std::size_t class_id = 0;
    for (std::size_t c = 1; c < classes_; ++c) {
      if (row.values[5 + c] > row.values[5 + class_id]) class_id = c;
    }
    const float score = row.values[4] * row.values[5 + class_id];
    if (!(score > confidence)) return;
    const Corners corners =
        is_in_grid_ ? from_grid(row, input)
                    : centred(row.values[0], row.values[1], row.values[2], row.values[3]);
    if (!corners.is_box()) return;
    candidates.push_back({corners, score, static_cast<std::int32_t>(class_id),
                          static_cast<std::uint32_t>(row.anchor)});
  }

  // The centre from the cell's corner, the sides as logarithms, all in strides.
  static Corners from_grid(const Row& row, Size input) {
    std::size_t cell = row.anchor;
    for (const int stride : std::array{8, 16, 32}) {
      const auto width = static_cast<std::size_t>(input.width / stride);
      const std::size_t cells = width * static_cast<std::size_t>(input.height / stride);
      if (cell >= cells) {
        cell -= cells;
        continue;
      }
      const auto step = static_cast<float>(stride);
      return centred((row.values[0] + static_cast<float>(cell % width)) * step,
                     (row.values[1] + static_cast<float>(cell / width)) * step,
                     std::exp(row.values[2]) * step, std::exp(row.values[3]) * step);
    }
    return {};
  }

  std::size_t classes_;
  bool is_in_grid_;
  Suppressor suppressor_;
};

}  // namespace

std::unique_ptr<Head> make_row_head(const HeadPlan& plan) {
  return std::make_unique<RowHead>(plan);
}

}  // namespace andon::vision
