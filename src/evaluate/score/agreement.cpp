// SPDX-License-Identifier: Apache-2.0
#include "evaluate/score/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/error/error.hpp"
#include "evaluate/labels/dataset.hpp"

namespace andon::evaluate {
namespace {

struct Pair {
  double iou;
  double score_difference;
  std::size_t left;
  std::size_t right;
};

// In doubles the overlap of a box with itself is exactly 1.
Rectangle exact(const vision::Box& box) {
  return {box.x, box.y, box.width, box.height};
}

std::vector<Pair> possible_pairs(DetectionsOfImage left, DetectionsOfImage right,
                                 const AgreementOptions& options) {
  const double floor = options.confidence / 2;
  std::vector<Pair> pairs;
  for (std::size_t l = 0; l < left.size(); ++l) {
    if (!(left[l].confidence > floor)) continue;
    for (std::size_t r = 0; r < right.size(); ++r) {
      if (!(right[r].confidence > floor) || left[l].class_id != right[r].class_id) continue;
      if (!(std::max(left[l].confidence, right[r].confidence) > options.confidence)) continue;
      const double iou = intersection_over_union(exact(left[l].box), exact(right[r].box));
      if (iou < options.iou) continue;
      const double difference = std::abs(double{left[l].confidence} - double{right[r].confidence});
      pairs.push_back({iou, difference, l, r});
    }
  }
  // By how alike they are, not by their places: so it does not matter which model is the left one.
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return std::tuple(-a.iou, a.score_difference) < std::tuple(-b.iou, b.score_difference);
  });
  return pairs;
}

ImageAgreement compare_image(std::size_t image, DetectionsOfImage left, DetectionsOfImage right,
                             const AgreementOptions& options) {
  ImageAgreement result;
  result.image = image;
  std::vector<bool> left_taken(left.size(), false);
  std::vector<bool> right_taken(right.size(), false);
  for (const Pair& pair : possible_pairs(left, right, options)) {
    if (left_taken[pair.left] || right_taken[pair.right]) continue;
    left_taken[pair.left] = true;
    right_taken[pair.right] = true;
    ++result.paired;
    if (left[pair.left].confidence > options.confidence &&
        right[pair.right].confidence > options.confidence) {
      ++result.both;
    }
    result.iou_sum += pair.iou;
    result.score_difference_sum += pair.score_difference;
    result.score_difference_max = std::max(result.score_difference_max, pair.score_difference);
    result.likeness += pair.iou * (1 - pair.score_difference);
  }
  const auto count = [&](DetectionsOfImage side, const std::vector<bool>& taken,
                         std::size_t& above) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (!(side[i].confidence > options.confidence)) continue;
      ++above;
      if (!taken[i]) ++result.alone;
    }
  };
  count(left, left_taken, result.left);
  count(right, right_taken, result.right);
  return result;
}

double similarity_of(double likeness, std::size_t paired, std::size_t alone) {
  return paired + alone == 0 ? 1 : likeness / static_cast<double>(paired + alone);
}

}  // namespace

double ImageAgreement::similarity() const {
  return similarity_of(likeness, paired, alone);
}

Agreement agreement(std::span<const DetectionsOfImage> left,
                    std::span<const DetectionsOfImage> right, const AgreementOptions& options) {
  if (left.size() != right.size()) {
    throw base::Error(base::ErrorCode::internal,
                      fmt::format("detections of {} pictures cannot be compared with those of {}",
                                  left.size(), right.size()));
  }
  Agreement result;
  result.options = options;
  double likeness = 0;
  double iou_sum = 0;
  double score_difference_sum = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const ImageAgreement& image =
        result.images.emplace_back(compare_image(i, left[i], right[i], options));
    result.left += image.left;
    result.right += image.right;
    result.paired += image.paired;
    result.both += image.both;
    result.alone += image.alone;
    if (image.left != image.right) ++result.images_with_other_counts;
    if ((image.left == 0) != (image.right == 0)) ++result.images_with_other_verdict;
    likeness += image.likeness;
    iou_sum += image.iou_sum;
    score_difference_sum += image.score_difference_sum;
    result.max_score_difference = std::max(result.max_score_difference, image.score_difference_max);
  }
  result.similarity = similarity_of(likeness, result.paired, result.alone);
  if (result.paired > 0) {
    result.mean_iou = iou_sum / static_cast<double>(result.paired);
    result.mean_score_difference = score_difference_sum / static_cast<double>(result.paired);
  }
  return result;
}

std::vector<ImageAgreement> least_alike(const Agreement& agreement, std::size_t count) {
  std::vector<ImageAgreement> chosen;
  std::copy_if(agreement.images.begin(), agreement.images.end(), std::back_inserter(chosen),
               [](const ImageAgreement& image) { return image.similarity() < 1; });
  std::stable_sort(
      chosen.begin(), chosen.end(), [](const ImageAgreement& a, const ImageAgreement& b) {
        return std::tuple(b.alone, a.similarity()) < std::tuple(a.alone, b.similarity());
      });
  if (chosen.size() > count) chosen.resize(count);
  return chosen;
}

}  // namespace andon::evaluate
