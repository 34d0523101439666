// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "optics.hpp"
#include "plate.hpp"
#include "random.hpp"
#include "scratch.hpp"

namespace metal_tags {
namespace {

constexpr double kScale = 2;  // drawn larger and scaled down: edges come out smooth

struct DifficultyRow {
  ScratchStyle scratches;
  int most_scratches;
  int most_smudges;
};

DifficultyRow row(Difficulty difficulty) {
  switch (difficulty) {
    case Difficulty::easy:
      return {{130, 240, 0}, 2, 1};
    case Difficulty::middling:
      return {{75, 235, 0.12}, 4, 4};
    case Difficulty::hard:
      return {{45, 180, 0.35}, 5, 8};
  }
  return {};
}

cv::Mat placed(const cv::Mat& layer, const cv::Mat& pose) {
  cv::Mat result;
  cv::warpAffine(layer, result, pose, layer.size(), cv::INTER_LINEAR, cv::BORDER_CONSTANT);
  return result;
}

cv::Mat scaled_down(const cv::Mat& layer, cv::Size size) {
  cv::Mat result;
  cv::resize(layer, result, size, 0, 0, cv::INTER_AREA);
  return result;
}

// Where the tag lies: slightly turned and moved, as it was put down.
cv::Mat random_pose(cv::Size canvas, const Drift& drift, Random& random) {
  const double angle = random.normal(0.5) + drift.shift * random.uniform(3, 7);
  const cv::Point2f centre(static_cast<float>(canvas.width) / 2,
                           static_cast<float>(canvas.height) / 2);
  cv::Mat pose = cv::getRotationMatrix2D(centre, angle, 1 - 0.08 * drift.shift);
  pose.at<double>(0, 2) += kScale * (random.normal(5) + drift.shift * random.uniform(20, 40));
  pose.at<double>(1, 2) += kScale * (random.normal(3) - drift.shift * random.uniform(10, 25));
  return pose;
}

// Empty where nothing of the scratch is seen.
cv::Rect box_of(const cv::Mat& light) {
  cv::Mat seen = light > kSeenContrast;
  const cv::Rect tight = cv::boundingRect(seen);
  if (tight.area() == 0) return {};
  return (cv::Rect(tight.x - kLabelMargin, tight.y - kLabelMargin, tight.width + 2 * kLabelMargin,
                   tight.height + 2 * kLabelMargin)) &
         cv::Rect({0, 0}, light.size());
}

}  // namespace

Scene render_scene(const SceneOptions& options, std::uint64_t seed) {
  Random random(seed);
  const DifficultyRow difficulty = row(options.difficulty);
  const cv::Size canvas(static_cast<int>(options.size.width * kScale),
                        static_cast<int>(options.size.height * kScale));
  const cv::Mat pose = random_pose(canvas, options.drift, random);

  Plate plate = draw_plate(canvas, kScale, random);
  draw_smudges(plate, random.integer(0, difficulty.most_smudges), kScale, random);
  if (options.drift.stamped_text) draw_stamped_text(plate, kScale, random);

  Scene scene;
  cv::Mat scratched = placed(plate.surface, pose);
  const int count =
      random.chance(options.defect_rate) ? random.integer(1, difficulty.most_scratches) : 0;
  for (int i = 0; i < count; ++i) {
    const cv::Mat light =
        placed(draw_scratch(canvas, plate.scratchable, kScale, difficulty.scratches, random), pose);
    const cv::Mat small = scaled_down(light, options.size);
    const cv::Rect box = box_of(small);
    if (box.empty()) continue;
    // Where scratches cross, the brighter one shows.
    cv::Mat sum = placed(plate.surface, pose) + light;
    cv::max(scratched, sum, scratched);
    scene.boxes.push_back(box);
    scene.scratches.push_back(small);
  }

  const cv::Mat coverage = placed(plate.coverage, pose);
  cv::Mat picture = draw_fixture(canvas, placed(plate.outline_mask, pose), kScale, random);
  picture = picture.mul(1 - coverage) + scratched.mul(coverage);
  picture = scaled_down(picture, options.size);
  scene.image = photograph(picture, options.drift, random);
  return scene;
}

}  // namespace metal_tags
