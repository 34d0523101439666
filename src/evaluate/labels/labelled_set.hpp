// SPDX-License-Identifier: Apache-2.0
// Labelled pictures, in whatever form people have them: what --labels and --images name.
//   annotations.json   COCO (coco.hpp); its pictures lie in `images`
//   data.yaml          YOLO (data_yaml.hpp): the pictures of a split, their labels where
//   Ultralytics
//                      looks for them; `images`, where it is given, is the folder of pictures
//   a folder           YOLO's text files (yolo.hpp), one for each picture of `images` and the
//                      folders below it, of the same name; classes.txt or data.yaml beside or above
//                      them name the classes
// Of a picture without a label file nothing is labelled. YOLO's pictures are decoded for their
// size.
#pragma once

#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "evaluate/labels/dataset.hpp"

namespace andon::evaluate {

struct LabelPlace {
  base::fs::path labels;
  base::fs::path images;      // empty: not given
  std::string split = "val";  // of data.yaml
  int workers = 0;            // 0: one a core
};

struct LabelledSet {
  Dataset dataset;
  // The pictures, in its order; none where COCO's labels are read without `images`.
  std::vector<base::fs::path> files;
};

// Throws invalid_argument for what is wrong, with its place, and not_found for what is not there.
[[nodiscard]] LabelledSet read_labels(const LabelPlace& place);

}  // namespace andon::evaluate
