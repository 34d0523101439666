// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "vision/head.hpp"
#include "vision/masks.hpp"
#include "vision/rows.hpp"

namespace andon::vision {
namespace {

using Outputs = std::span<const Session::Output>;

bool has_rank(const Session::Output& output, std::size_t rank) {
  return output.shape.size() == rank &&
         std::all_of(output.shape.begin(), output.shape.end(), [](auto it) { return it >= 0; });
}

bool is(std::int64_t dimension, std::size_t wanted) {
  return std::cmp_equal(dimension, wanted);
}

bool fit_levels(const HeadPlan& plan, Outputs outputs, Size input) {
  constexpr std::array kStrides{8, 16, 32};
  for (std::size_t i = 0; i < kStrides.size(); ++i) {
    for (const auto& [output, channels] :
         {std::pair{&outputs[2 * i], std::size_t{64}}, {&outputs[2 * i + 1], plan.classes}}) {
      if (!has_rank(*output, 4) || !is(output->shape[1], channels) ||
          output->shape[2] != input.height / kStrides.at(i) ||
          output->shape[3] != input.width / kStrides.at(i)) {
        return false;
      }
    }
  }
  return true;
}

bool fit_anomaly(const HeadPlan& plan, Outputs outputs) {
  if (plan.has_score && !has_rank(outputs.front(), 1) && !has_rank(outputs.front(), 2)) {
    return false;
  }
  if (!plan.has_map) return true;
  const Session::Output& map = outputs.back();
  if (!has_rank(map, 3) && !(has_rank(map, 4) && map.shape[1] == 1)) return false;
  return map.shape[map.shape.size() - 1] > 0 && map.shape[map.shape.size() - 2] > 0;
}

bool fit_prototypes(const Session::Output& maps) {
  return has_rank(maps, 4) && is(maps.shape[1], kMaskWeights) && maps.shape[2] > 0 &&
         maps.shape[3] > 0;
}

bool fit(const HeadPlan& plan, Outputs outputs, Size input) {
  const Session::Output& first = outputs.front();
  const bool is_planar = has_rank(first, 3);
  switch (plan.kind) {
    case HeadKind::yolov8:
      return is_planar && is(first.shape[1], 4 + plan.classes);
    case HeadKind::yolov8_seg:
      return is_planar && is(first.shape[1], 4 + plan.classes + kMaskWeights) &&
             fit_prototypes(outputs[1]);
    case HeadKind::yolov8_dfl:
      if (outputs.size() > 1) return fit_levels(plan, outputs, input);
      return is_planar && is(first.shape[1], 64 + plan.classes) &&
             is(first.shape[2], grid_cells(input));
    case HeadKind::yolov5:
      return is_planar && is(first.shape[2], 5 + plan.classes);
    case HeadKind::yolox:
      return is_planar && is(first.shape[2], 5 + plan.classes) &&
             is(first.shape[1], grid_cells(input));
    case HeadKind::end_to_end:
      return is_planar && is(first.shape[2], kRowValues);
    case HeadKind::end_to_end_seg:
      return is_planar && is(first.shape[2], kRowValues + kMaskWeights) &&
             fit_prototypes(outputs[1]);
    case HeadKind::rtdetr:
      return is_planar && is(first.shape[2], plan.has_picked ? kRowValues : 4 + plan.classes);
    case HeadKind::detr:
      return has_rank(first, 2) && has_rank(outputs[1], 3) && outputs[1].shape[2] == 4 &&
             outputs[1].shape[1] == first.shape[1] && outputs[2].shape == first.shape;
    case HeadKind::detr_logits:
      return is_planar && is(first.shape[2], plan.classes + (plan.has_nothing ? 1 : 0)) &&
             has_rank(outputs[1], 3) && outputs[1].shape[2] == 4 &&
             outputs[1].shape[1] == first.shape[1];
    case HeadKind::classifier:
      return has_rank(first, 2) && is(first.shape[1], plan.classes);
    case HeadKind::anomaly:
      return fit_anomaly(plan, outputs);
  }
  return false;
}

}  // namespace

void check_outputs(const HeadPlan& plan, const Session& session, Outputs outputs, Size input,
                   std::size_t batch) {
  const bool has_batch = std::all_of(outputs.begin(), outputs.end(), [&](const auto& output) {
    return !output.shape.empty() && std::cmp_less_equal(batch, output.shape[0]);
  });
  if (has_batch && fit(plan, outputs, input)) return;
  throw base::Error(
      base::ErrorCode::invalid_argument,
      fmt::format("{}: for {} pictures at {}x{} the model's outputs have other shapes than {} has",
                  session.name(), batch, input.width, input.height, to_string(plan.kind)));
}

}  // namespace andon::vision
