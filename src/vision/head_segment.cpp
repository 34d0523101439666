// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "vision/detections.hpp"
#include "vision/heads.hpp"

namespace andon::vision {
namespace {

// Appends runs of a mask, which begins with a run of pixels outside.
class RunWriter {
 public:
  explicit RunWriter(std::vector<std::uint32_t>& counts) : counts_(counts) { counts_.assign(1, 0); }

  void add(bool is_inside, std::uint32_t length) {
    if (length == 0) return;
    const bool last_is_inside = counts_.size() % 2 == 0;
    if (is_inside != last_is_inside) counts_.push_back(0);
    counts_.back() += length;
  }

 private:
  std::vector<std::uint32_t>& counts_;
};

// The pixels from `low` on and before `high`, as Ultralytics crops masks to boxes.
struct PixelRange {
  int begin;
  int end;
};
PixelRange pixels_between(float low, float high, int limit) {
  return {std::clamp(static_cast<int>(std::ceil(low)), 0, limit),
          std::clamp(static_cast<int>(std::ceil(high)), 0, limit)};
}

// YOLOv8-seg and its successors: 32 coefficients an anchor, which weigh 32 prototype masks.
class SegmentHead final : public Head {
 public:
  explicit SegmentHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs[0];
    const auto channels = static_cast<std::size_t>(output.shape[1]);
    const auto anchors = static_cast<std::size_t>(output.shape[2]);
    const auto values = output.values.subspan(item * channels * anchors, channels * anchors);
    find_candidates({values, classes_, anchors}, options.confidence, suppressor_.start());
    const std::vector<Candidate>& kept = suppressor_.suppress(options);

    const Session::Output& prototypes = outputs[1];
    map_size_ = {static_cast<int>(prototypes.shape[3]), static_cast<int>(prototypes.shape[2])};
    const std::size_t weights = channels - 4 - classes_;
    const std::size_t plane =
        static_cast<std::size_t>(map_size_.width) * static_cast<std::size_t>(map_size_.height);
    const float* maps = prototypes.values.data() + item * weights * plane;

    into.detections.clear();
    into.masks.resize(kept.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      into.detections.push_back(map_back(kept[i], plan));
      const float* weight = values.data() + (4 + classes_) * anchors + kept[i].anchor;
      logits_.assign(plane, 0);
      for (std::size_t w = 0; w < weights; ++w) {
        const float factor = weight[w * anchors];
        const float* map = maps + w * plane;
        for (std::size_t at = 0; at < plane; ++at) logits_[at] += factor * map[at];
      }
      encode(into.detections.back().box, plan, into.masks[i]);
    }
  }

 private:
  // Inside is where the map, interpolated at a pixel's centre, is above 0.
  void encode(const Box& box, const LetterboxPlan& plan, Mask& mask) {
    mask.size = plan.source;
    RunWriter runs(mask.counts);
    const auto height = static_cast<std::uint32_t>(mask.size.height);
    const PixelRange columns = pixels_between(box.x, box.x + box.width, mask.size.width);
    const PixelRange rows = pixels_between(box.y, box.y + box.height, mask.size.height);
    runs.add(false, static_cast<std::uint32_t>(columns.begin) * height);
    for (int x = columns.begin; x < columns.end; ++x) {
      const Place across =
          place((x + 0.5) * plan.ratio_x + plan.left, plan.target.width, map_size_.width);
      runs.add(false, static_cast<std::uint32_t>(rows.begin));
      for (int y = rows.begin; y < rows.end; ++y) {
        const Place down =
            place((y + 0.5) * plan.ratio_y + plan.top, plan.target.height, map_size_.height);
        runs.add(value_at(across, down) > 0, 1);
      }
      runs.add(false, height - static_cast<std::uint32_t>(rows.end));
    }
    runs.add(false, static_cast<std::uint32_t>(mask.size.width - columns.end) * height);
  }

  // Between two neighbours of the map.
  struct Place {
    std::size_t first;
    std::size_t second;
    float second_weight;
  };
  static Place place(double in_input, int input_side, int map_side) {
    const double at =
        std::clamp(in_input * map_side / input_side - 0.5, 0.0, static_cast<double>(map_side - 1));
    const auto first = static_cast<std::size_t>(at);
    return {first, std::min(first + 1, static_cast<std::size_t>(map_side - 1)),
            static_cast<float>(at - static_cast<double>(first))};
  }

  [[nodiscard]] float value_at(const Place& across, const Place& down) const {
    const auto width = static_cast<std::size_t>(map_size_.width);
    const auto on_row = [&](std::size_t y) {
      const float* row = logits_.data() + y * width;
      return row[across.first] + (row[across.second] - row[across.first]) * across.second_weight;
    };
    const float upper = on_row(down.first);
    return upper + (on_row(down.second) - upper) * down.second_weight;
  }

  std::size_t classes_;
  Suppressor suppressor_;
  Size map_size_;
  std::vector<float> logits_;
};

}  // namespace

std::unique_ptr<Head> make_segment_head(const HeadPlan& plan) {
  return std::make_unique<SegmentHead>(plan);
}

}  // namespace andon::vision
