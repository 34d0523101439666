// SPDX-License-Identifier: Apache-2.0
#include "inspect/drawing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace andon::inspect {
namespace {

// Half way to a colour, in the pixels of a mask (runs by column, the first of pixels outside).
void tint(vision::Image& image, const vision::Mask& mask) {
  if (mask.size != image.size) return;
  const auto height = static_cast<std::size_t>(mask.size.height);
  std::size_t at = 0;
  bool is_inside = false;
  for (const std::uint32_t count : mask.counts) {
    for (std::size_t i = at; is_inside && i < at + count; ++i) {
      std::uint8_t* pixel = image.row(static_cast<int>(i % height)) + i / height * 3;
      pixel[0] = static_cast<std::uint8_t>((pixel[0] + 255) / 2);
      pixel[1] = static_cast<std::uint8_t>(pixel[1] / 2);
      pixel[2] = static_cast<std::uint8_t>((pixel[2] + 128) / 2);
    }
    at += count;
    is_inside = !is_inside;
  }
}

}  // namespace

vision::Image draw(const vision::Image& image, const Inspection& inspection, const Heat& heat) {
  vision::Image drawn = image;
  if (heat.anomaly != nullptr) vision::draw_heat(drawn, *heat.anomaly, heat.scale);
  for (const vision::Mask& mask : inspection.masks) tint(drawn, mask);
  std::vector<vision::LabelledBox> boxes;
  const vision::Box whole{0, 0, static_cast<float>(image.size.width),
                          static_cast<float>(image.size.height)};
  if (!inspection.classes.empty()) {
    const auto& [score, label] = inspection.classes.front();
    boxes.push_back({whole, score.class_id, fmt::format("{} {:.2f}", label, score.confidence)});
  }
  if (inspection.anomaly) {
    boxes.push_back({whole, 0, fmt::format("anomaly {:.2f}", inspection.anomaly->score)});
  }
  for (const auto& [detection, label] : inspection.detections) {
    boxes.push_back(
        {detection.box, detection.class_id, fmt::format("{} {:.2f}", label, detection.confidence)});
  }
  vision::draw_boxes(drawn, boxes);
  return drawn;
}

void write_annotated(const base::fs::path& directory, const vision::Image& image,
                     const Inspection& inspection, const Heat& heat) {
  base::fs::path name = inspection.image_name;
  std::string extension = name.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension != ".jpg" && extension != ".jpeg") name += ".jpg";
  base::write_file_atomically(directory / name, vision::encode_jpeg(draw(image, inspection, heat)));
}

}  // namespace andon::inspect
