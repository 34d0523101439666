// SPDX-License-Identifier: Apache-2.0
// Whatever stands in label files: what is accepted is consistent, can be measured, and results
// come back as they were written.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "evaluate/labels/coco.hpp"
#include "evaluate/score/average_precision.hpp"
#include "evaluate/score/working_point.hpp"

namespace {

using namespace andon::evaluate;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_dataset(const Dataset& dataset) {
  check(!dataset.images.empty() && !dataset.categories.empty());
  for (const LabelledImage& image : dataset.images) {
    check(!image.file_name.empty() && image.file_name.find("..") != 0);
    for (const Truth& truth : image.truths) {
      check(truth.category < dataset.categories.size());
      check(std::isfinite(truth.box.area()) && truth.box.area() >= 0 && truth.area >= 0);
    }
  }
}

void measure(const Dataset& dataset, const std::vector<Findings>& findings) {
  const AveragePrecision result = average_precision(dataset, findings);
  if (result.map50_95) check(*result.map50_95 >= 0 && *result.map50_95 <= 1.0001);
  const WorkingPoint point = working_point(dataset, findings);
  check(point.rates.right + point.rates.missed <= dataset.count_truths());
  const auto again =
      parse_coco_results(to_coco_results(dataset, findings), "written results", dataset);
  for (std::size_t i = 0; i < findings.size(); ++i) check(again[i].size() == findings[i].size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Labels, and after a line of dashes the results.
  const std::size_t dashes = text.find("\n---\n");
  CocoLimits limits;
  limits.max_images = 1'000;
  limits.max_annotations = 1'000;
  limits.max_categories = 50;
  try {
    const Dataset dataset = parse_coco(text.substr(0, dashes), "labels", limits);
    check_dataset(dataset);
    std::vector<Findings> findings(dataset.images.size());
    if (dashes != std::string_view::npos) {
      findings = parse_coco_results(text.substr(dashes + 5), "results", dataset, limits);
    }
    measure(dataset, findings);
  } catch (const andon::base::Error& error) {
    check(error.code() == andon::base::ErrorCode::invalid_argument);
  }
  return 0;
}
