// SPDX-License-Identifier: Apache-2.0
// data.yaml: what Ultralytics' tools and those that export for them say of a data set.
//   path: datasets/tags          the folder that the others lie in; without it that of the file
//   train: images/train          a folder, a list of pictures (.txt), or several of them
//   val: images/val
//   test: images/test
//   names: {0: scratch, 1: dent} or [scratch, dent]
//   kpt_shape: [17, 3]           of keypoints
// It comes from outside: errors are invalid_argument naming file and member.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "evaluate/labels/yolo.hpp"

namespace andon::evaluate {

inline constexpr std::array<std::string_view, 3> kSplits{"train", "val", "test"};

struct DataYaml {
  base::fs::path root;                // of its relative paths
  std::vector<std::string> names;     // by class
  std::size_t keypoint_values = 0;    // of an object
  std::vector<std::string> pictures;  // of the split that was asked for, as the file has them
};

// `file` is where it lies; it is not read, `text` is its content. An empty split: pictures are not
// asked for.
[[nodiscard]] DataYaml parse_data_yaml(std::string_view text, const base::fs::path& file,
                                       std::string_view split);
[[nodiscard]] DataYaml read_data_yaml(const base::fs::path& file, std::string_view split);

// The pictures of its split: those of folders and of all below them, and those that lists name, by
// path, each once. Throws not_found for what is not there.
[[nodiscard]] std::vector<base::fs::path> pictures_of(const DataYaml& data,
                                                      const base::fs::path& file);

// Where a picture's labels are: beside it with the ending .txt, below "labels" where it is below
// "images".
[[nodiscard]] base::fs::path yolo_labels_of(const base::fs::path& picture);

}  // namespace andon::evaluate
