// SPDX-License-Identifier: Apache-2.0
#include "dataset.hpp"

#include <fmt/format.h>

#include <opencv2/core.hpp>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "random.hpp"
#include "vision/draw/annotate.hpp"

namespace metal_tags {
namespace {

using andon::base::write_file_atomically;
namespace fs = andon::base::fs;
namespace json = andon::base::json;

std::string encode(const cv::Mat& grey, int quality) {
  andon::vision::Image image;
  image.size = {grey.cols, grey.rows};
  image.rgb.reserve(static_cast<std::size_t>(grey.cols) * static_cast<std::size_t>(grey.rows) * 3);
  for (int y = 0; y < grey.rows; ++y) {
    for (int x = 0; x < grey.cols; ++x) {
      image.rgb.insert(image.rgb.end(), 3, grey.at<std::uint8_t>(y, x));
    }
  }
  return andon::vision::encode_jpeg(image, quality);
}

std::string yolo_labels(const Scene& scene) {
  const double width = scene.image.cols;
  const double height = scene.image.rows;
  std::string text;
  for (const cv::Rect& box : scene.boxes) {
    text +=
        fmt::format("0 {:.6f} {:.6f} {:.6f} {:.6f}\n", (box.x + box.width / 2.0) / width,
                    (box.y + box.height / 2.0) / height, box.width / width, box.height / height);
  }
  return text;
}

void refuse_unless_empty(const fs::path& out) {
  if (fs::exists(out) && !fs::is_empty(out)) {
    throw andon::base::Error(andon::base::ErrorCode::already_exists,
                             out.string() + " is not empty: name another directory, or empty it");
  }
}

}  // namespace

void write_dataset(const DatasetOptions& options, const fs::path& out,
                   const std::function<void(int)>& on_progress) {
  refuse_unless_empty(out);
  andon::base::make_directories(out / "images");
  andon::base::make_directories(out / "labels");
  json::array images;
  json::array annotations;
  for (int i = 0; i < options.count; ++i) {
    const std::uint64_t seed = options.seed * 1'000'003U + static_cast<std::uint64_t>(i);
    const Scene scene = render_scene(options.scene, seed);
    const std::string stem = fmt::format("tag-{}-{:05}", options.seed, i);
    const int quality = Random(seed).integer(82, 95);
    write_file_atomically(out / "images" / (stem + ".jpg"), encode(scene.image, quality));
    write_file_atomically(out / "labels" / (stem + ".txt"), yolo_labels(scene));
    images.push_back({{"id", i + 1},
                      {"file_name", stem + ".jpg"},
                      {"width", scene.image.cols},
                      {"height", scene.image.rows}});
    for (const cv::Rect& box : scene.boxes) {
      annotations.push_back({{"id", annotations.size() + 1},
                             {"image_id", i + 1},
                             {"category_id", 0},
                             {"bbox", json::array{box.x, box.y, box.width, box.height}},
                             {"area", box.area()},
                             {"iscrowd", 0}});
    }
    on_progress(i + 1);
  }
  const json::object coco{
      {"info", {{"description", "Generated metal tags"}, {"version", "1"}}},
      {"categories", json::array{{{"id", 0}, {"name", "scratch"}, {"supercategory", "defect"}}}},
      {"images", images},
      {"annotations", annotations}};
  write_file_atomically(out / "annotations.json", andon::base::to_pretty_text(coco));
}

}  // namespace metal_tags
