// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/masks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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

float mix(float first, float second, float second_weight) {
  return first * (1 - second_weight) + second * second_weight;
}

int rounded(double value) {
  return static_cast<int>(std::nearbyint(value));
}

}  // namespace

// The pixels from `low` on and before `high`, as Ultralytics crops masks to boxes.
MaskMaker::Range MaskMaker::pixels_between(float low, float high, int limit) {
  return {std::clamp(static_cast<int>(std::ceil(low)), 0, limit),
          std::clamp(static_cast<int>(std::ceil(high)), 0, limit)};
}

MaskMaker::Place MaskMaker::between(float at, int cells) {
  at = std::max(at, 0.0F);
  const int first = std::min(static_cast<int>(at), cells - 1);
  return {first, std::min(first + 1, cells - 1), at - static_cast<float>(first)};
}

MaskMaker::Place MaskMaker::Side::of_pixel(int pixel) const {
  const float step = static_cast<float>(content) / static_cast<float>(picture);
  Place place = between((static_cast<float>(pixel) + 0.5F) * step - 0.5F, content);
  place.first += padding;
  place.second += padding;
  return place;
}

void MaskMaker::start(const Session::Output& prototypes, std::size_t item,
                      const LetterboxPlan& plan) {
  down_.map = static_cast<int>(prototypes.shape[2]);
  across_.map = static_cast<int>(prototypes.shape[3]);
  down_.picture = plan.source.height;
  across_.picture = plan.source.width;
  logits_.resize(static_cast<std::size_t>(across_.map) * static_cast<std::size_t>(down_.map));
  maps_ = prototypes.values.data() + item * kMaskWeights * logits_.size();
  picture_ = plan.source;
  plan_sides(plan);
}

// The smallest enlargement (1, 2 or 4) at which the letterbox's padding ends between two cells,
// where a cell of the prototypes is four pixels of the input.
void MaskMaker::plan_sides(const LetterboxPlan& plan) {
  constexpr int kReduction = 4;
  const int both =
      (plan.target.width - plan.scaled.width) | (plan.target.height - plan.scaled.height);
  factor_ = kReduction / std::gcd(kReduction, both | both / 2);
  const auto lay = [&](Side& side, int input, int scaled, int before) {
    const int cells = factor_ * side.map;
    const double step = static_cast<double>(cells) / input;
    side.padding = std::clamp(rounded(before * step), 0, cells - 1);
    side.content = std::clamp(rounded(scaled * step), 1, cells - side.padding);
  };
  lay(across_, plan.target.width, plan.scaled.width, plan.left);
  lay(down_, plan.target.height, plan.scaled.height, plan.top);
}

// Of the enlarged map only what a box needs.
void MaskMaker::enlarge(Range columns, Range rows) {
  enlarged_columns_ = columns;
  enlarged_rows_ = rows;
  const auto width = static_cast<std::size_t>(columns.end - columns.begin);
  enlarged_.resize(width * static_cast<std::size_t>(rows.end - rows.begin));
  const float step = 1.0F / static_cast<float>(factor_);
  float* out = enlarged_.data();
  for (int y = rows.begin; y < rows.end; ++y) {
    const Place down = between((static_cast<float>(y) + 0.5F) * step - 0.5F, down_.map);
    const float* upper = logits_.data() + static_cast<std::ptrdiff_t>(down.first) * across_.map;
    const float* lower = logits_.data() + static_cast<std::ptrdiff_t>(down.second) * across_.map;
    for (int x = columns.begin; x < columns.end; ++x) {
      const Place across = between((static_cast<float>(x) + 0.5F) * step - 0.5F, across_.map);
      *out++ = mix(mix(upper[across.first], upper[across.second], across.second_weight),
                   mix(lower[across.first], lower[across.second], across.second_weight),
                   down.second_weight);
    }
  }
}

float MaskMaker::enlarged_at(const Place& across, const Place& down) const {
  const std::ptrdiff_t width = enlarged_columns_.end - enlarged_columns_.begin;
  const auto on_row = [&](int y) {
    const float* row = enlarged_.data() + (y - enlarged_rows_.begin) * width;
    return mix(row[across.first - enlarged_columns_.begin],
               row[across.second - enlarged_columns_.begin], across.second_weight);
  };
  return mix(on_row(down.first), on_row(down.second), down.second_weight);
}

// Inside is where the map, interpolated at a pixel's centre, is above 0.
bool MaskMaker::make(const MaskWeights& weights, const Box& box, Mask& mask) {
  mask.size = picture_;
  RunWriter runs(mask.counts);
  const Range columns = pixels_between(box.x, box.x + box.width, picture_.width);
  const Range rows = pixels_between(box.y, box.y + box.height, picture_.height);
  if (columns.begin >= columns.end || rows.begin >= rows.end) return false;
  std::fill(logits_.begin(), logits_.end(), 0.0F);
  for (std::size_t w = 0; w < kMaskWeights; ++w) {
    const float factor = weights.values[w * weights.pitch];
    const float* map = maps_ + w * logits_.size();
    for (std::size_t at = 0; at < logits_.size(); ++at) logits_[at] += factor * map[at];
  }
  enlarge({across_.of_pixel(columns.begin).first, across_.of_pixel(columns.end - 1).second + 1},
          {down_.of_pixel(rows.begin).first, down_.of_pixel(rows.end - 1).second + 1});
  const auto height = static_cast<std::uint32_t>(picture_.height);
  runs.add(false, static_cast<std::uint32_t>(columns.begin) * height);
  for (int x = columns.begin; x < columns.end; ++x) {
    const Place across = across_.of_pixel(x);
    runs.add(false, static_cast<std::uint32_t>(rows.begin));
    for (int y = rows.begin; y < rows.end; ++y) {
      runs.add(enlarged_at(across, down_.of_pixel(y)) > 0, 1);
    }
    runs.add(false, height - static_cast<std::uint32_t>(rows.end));
  }
  runs.add(false, static_cast<std::uint32_t>(picture_.width - columns.end) * height);
  return mask.counts.size() > 1;
}

}  // namespace andon::vision
