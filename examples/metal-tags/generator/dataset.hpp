// SPDX-License-Identifier: Apache-2.0
// A generated data set on disk: <out>/images/*.jpg, <out>/annotations.json (COCO) and
// <out>/labels/*.txt (YOLO: class, centre x, centre y, width, height, as shares of the picture).
#pragma once

#include <cstdint>
#include <functional>

#include "base/os/file.hpp"
#include "scene.hpp"

namespace metal_tags {

struct DatasetOptions {
  SceneOptions scene;
  int count = 100;
  std::uint64_t seed = 1;
};

// The same options write the same files. Throws base::Error where `out` holds anything already.
void write_dataset(const DatasetOptions& options, const andon::base::fs::path& out,
                   const std::function<void(int done)>& on_progress);

}  // namespace metal_tags
