// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error/error.hpp"
#include "vision/heads/family.hpp"

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

Reading read(const Evidence& evidence) {
  for (const char* name : {"anomaly_map", "pred_score"}) {
    if (evidence.named(name) != nullptr) {
      return {Claim::certain, fmt::format("it has an output named {}", name)};
    }
  }
  const Evidence::Output* maps = evidence.of_rank(4);
  if (maps == nullptr || maps->shape[1] != 1) return {};
  return {Claim::likely, "its output is a map of one value for each place"};
}

void fit(const Evidence& evidence, HeadPlan& plan) {
  const Evidence::Output* score = nullptr;
  const Evidence::Output* map = nullptr;
  for (const Evidence::Output& found : evidence.outputs()) {
    if (found.type != ElementType::float32) continue;
    const Evidence::Shape& shape = found.shape;
    const bool is_map = (shape.size() == 4 && shape[1] == 1) || shape.size() == 3;
    const bool is_score = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
    if (is_map && (map == nullptr || found.name == "anomaly_map")) map = &found;
    if (is_score && (score == nullptr || found.name == "pred_score")) score = &found;
  }
  if (score == nullptr && map == nullptr) evidence.refuse("it has neither a score nor a map");
  plan.has_score = score != nullptr;
  plan.has_map = map != nullptr;
  if (score != nullptr) plan.outputs.push_back(evidence.need(score, "score").index);
  if (map != nullptr) plan.outputs.push_back(evidence.need(map, "map").index);
}

bool check(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  if (plan.has_score && !has_rank(outputs.front(), 1) && !has_rank(outputs.front(), 2)) {
    return false;
  }
  if (!plan.has_map) return true;
  const Session::Output& map = outputs.back();
  if (!has_rank(map, 3) && !(has_rank(map, 4) && map.shape[1] == 1)) return false;
  return map.shape[map.shape.size() - 1] > 0 && map.shape[map.shape.size() - 2] > 0;
}

void prepare(Preprocessing& preprocessing, const Session& /*session*/, Size /*input*/) {
  preprocessing.fit = Fit::stretch;
  preprocessing.resample = Preprocessing::Resample::bilinear;
}

}  // namespace

constinit const Family kAnomaly{
    .kind = HeadKind::anomaly,
    .name = "anomaly",
    .task = "anomaly",
    .help = "a score float32 [batch] or [batch,1], a map float32 [batch,1,h,w], or both",
    .read = read,
    .fit = fit,
    .check = check,
    .make = make_of<AnomalyHead>,
    .prepare = prepare};

}  // namespace andon::vision
