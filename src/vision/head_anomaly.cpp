// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "vision/heads.hpp"

namespace andon::vision {
namespace {

// Along one side of the map: the cells that show the picture and not the padding around it.
struct Cells {
  int from = 0;
  int count = 0;
  // What they cover of the picture, in its pixels.
  float start = 0;
  float length = 0;
};

// `side` cells over an input of `input` pixels, in which the picture, scaled by `ratio`, begins at
// `start` and is `length` long; both may lie outside where the picture is cut.
Cells cells_of_picture(int side, int input, int start, int length, double ratio) {
  const double pixels = static_cast<double>(input) / side;
  const int begin = std::clamp(start, 0, input);
  const int end = std::clamp(start + length, 0, input);
  const int from = std::clamp(static_cast<int>(std::lround(begin / pixels)), 0, side - 1);
  const int to = std::clamp(static_cast<int>(std::lround(end / pixels)), from + 1, side);
  return {from, to - from, static_cast<float>((from * pixels - start) / ratio),
          static_cast<float>((to - from) * pixels / ratio)};
}

float highest(const std::vector<float>& map) {
  float result = std::nanf("");
  for (const float value : map) {
    if (std::isfinite(value) && !(value <= result)) result = value;
  }
  return result;
}

// PatchCore, EfficientAD and their like: a score, a map, or both. Without a score the map's highest
// value over the picture is it.
class AnomalyHead final : public Head {
 public:
  explicit AnomalyHead(const HeadPlan& plan) : has_score_(plan.has_score), has_map_(plan.has_map) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& /*options*/, Findings& into) override {
    if (!into.anomaly) into.anomaly.emplace();
    Anomaly& anomaly = *into.anomaly;
    if (has_map_) cut_map(outputs.back(), item, plan, anomaly);
    anomaly.score = has_score_ ? outputs.front().values[item] : highest(anomaly.map);
    if (!std::isfinite(anomaly.score)) {
      throw base::Error(base::ErrorCode::failed_precondition,
                        "the model's anomaly score of this picture is not a number");
    }
  }

 private:
  static void cut_map(const Session::Output& output, std::size_t item, const LetterboxPlan& plan,
                      Anomaly& into) {
    const std::size_t rank = output.shape.size();
    const auto width = static_cast<int>(output.shape[rank - 1]);
    const auto height = static_cast<int>(output.shape[rank - 2]);
    const Cells columns =
        cells_of_picture(width, plan.target.width, plan.left, plan.scaled.width, plan.ratio_x);
    const Cells rows =
        cells_of_picture(height, plan.target.height, plan.top, plan.scaled.height, plan.ratio_y);
    into.map_size = {columns.count, rows.count};
    into.map_box = {columns.start, rows.start, columns.length, rows.length};
    const std::size_t row_cells = static_cast<std::size_t>(width);
    const auto values = output.values.subspan(item * row_cells * static_cast<std::size_t>(height));
    into.map.clear();
    for (int y = rows.from; y < rows.from + rows.count; ++y) {
      const auto row = values.subspan(
          static_cast<std::size_t>(y) * row_cells + static_cast<std::size_t>(columns.from),
          static_cast<std::size_t>(columns.count));
      into.map.insert(into.map.end(), row.begin(), row.end());
    }
  }

  bool has_score_;
  bool has_map_;
};

}  // namespace

std::unique_ptr<Head> make_anomaly_head(const HeadPlan& plan) {
  return std::make_unique<AnomalyHead>(plan);
}

}  // namespace andon::vision
