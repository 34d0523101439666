// SPDX-License-Identifier: Apache-2.0
// COCO's JSON formats: annotations ("instances") in, results in and out.
// https://cocodataset.org/#format-data. Read as a stream: outlines and everything else that is not
// needed is skipped, so that memory grows with the number of pictures and objects only. Pure but
// for the file; any thread. They come from outside: everything is checked, errors are
// invalid_argument naming file and place ("labels.json: annotations[12].bbox: ...").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "evaluate/labels/dataset.hpp"

namespace andon::evaluate {

struct CocoLimits {
  std::size_t max_images = 2'000'000;
  std::size_t max_annotations = 20'000'000;  // or results
  std::size_t max_categories = 10'000;
  std::size_t max_text = 4'096;  // of a name, in bytes
};

// Refused: ids that occur twice or lead nowhere, boxes that are not four finite numbers or have a
// negative side, or lie outside their picture; file names that leave the folder. Kept with a
// warning: boxes without area and boxes that reach over the border.
[[nodiscard]] Dataset read_coco(const base::fs::path& file, const CocoLimits& limits = {});
[[nodiscard]] Dataset parse_coco(std::string_view text, std::string_view name,
                                 const CocoLimits& limits = {});

// A list of {"image_id", "category_id", "bbox", "score"}: findings by picture of `dataset`, each
// in the order of the file.
[[nodiscard]] std::vector<Findings> read_coco_results(const base::fs::path& file,
                                                      const Dataset& dataset,
                                                      const CocoLimits& limits = {});
[[nodiscard]] std::vector<Findings> parse_coco_results(std::string_view text, std::string_view name,
                                                       const Dataset& dataset,
                                                       const CocoLimits& limits = {});

// One result a line. Numbers have as many digits as it takes to read the same ones again.
[[nodiscard]] std::string to_coco_results(const Dataset& dataset,
                                          const std::vector<Findings>& findings);

}  // namespace andon::evaluate
