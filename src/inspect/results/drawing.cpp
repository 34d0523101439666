// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text/ascii.hpp"
#include "trust/digests/digest.hpp"
#include "vision/draw/canvas.hpp"
#include "vision/draw/figures.hpp"
#include "vision/draw/verdict.hpp"

namespace andon::inspect {
namespace {

// Half way to the class's colour, in the pixels of a mask (runs by column, the first of pixels
// outside).
void tint(vision::Image& image, const vision::Mask& mask, int class_id) {
  const vision::Colour colour = vision::class_colour(class_id);
  if (mask.size != image.size) return;
  const auto height = static_cast<std::size_t>(mask.size.height);
  std::size_t at = 0;
  bool is_inside = false;
  for (const std::uint32_t count : mask.counts) {
    for (std::size_t i = at; is_inside && i < at + count; ++i) {
      std::uint8_t* pixel = image.row(static_cast<int>(i % height)) + i / height * 3;
      pixel[0] = static_cast<std::uint8_t>((pixel[0] + colour.red) / 2);
      pixel[1] = static_cast<std::uint8_t>((pixel[1] + colour.green) / 2);
      pixel[2] = static_cast<std::uint8_t>((pixel[2] + colour.blue) / 2);
    }
    at += count;
    is_inside = !is_inside;
  }
}

// A box without an extent, of which only the label is drawn: at the highest corner.
vision::Box label_place(const vision::RotatedBox& box) {
  const auto corners = vision::corners_of(box);
  const vision::Point top = *std::ranges::min_element(corners, {}, &vision::Point::y);
  return {top.x, top.y, 0, 0};
}

// Of a detector: how many of which class, most first.
vision::Verdict verdict_of_detections(const Inspection& inspection) {
  vision::Verdict verdict;
  const std::size_t count = inspection.detections.size();
  if (count == 0) {
    verdict.lamp = vision::Verdict::Lamp::green;
    verdict.text = "nothing found";
    return verdict;
  }
  verdict.lamp = vision::Verdict::Lamp::red;
  verdict.text = fmt::format("{} found", count);
  struct Group {
    int class_id;
    std::string_view label;
    std::size_t count;
  };
  std::vector<Group> groups;
  for (const auto& [detection, label] : inspection.detections) {
    const auto group = std::ranges::find(groups, detection.class_id, &Group::class_id);
    if (group != groups.end()) {
      ++group->count;
    } else {
      groups.push_back({detection.class_id, label, 1});
    }
  }
  std::ranges::stable_sort(groups, std::ranges::greater{}, &Group::count);
  for (const Group& group : groups) {
    verdict.entries.push_back(
        {vision::class_colour(group.class_id), fmt::format("{} {}", group.count, group.label)});
  }
  return verdict;
}

// "NG: deep scratch" before what was found.
void say_verdict(const Verdict& decided, vision::Verdict& verdict) {
  using Lamp = vision::Verdict::Lamp;
  verdict.lamp = decided.judgement == Judgement::ok   ? Lamp::green
                 : decided.judgement == Judgement::ng ? Lamp::red
                                                      : Lamp::amber;
  std::string text(to_string(decided.judgement));
  if (!decided.rule.empty()) text += ": " + decided.rule;
  if (!verdict.text.empty()) text += "  " + verdict.text;
  verdict.text = std::move(text);
}

vision::Verdict verdict_of(const Inspection& inspection) {
  vision::Verdict verdict;
  if (inspection.anomaly) {
    verdict.text = fmt::format("anomaly {:.2f}", inspection.anomaly->score);
  } else if (!inspection.classes.empty()) {
    for (const auto& [score, label] : inspection.classes) {
      verdict.entries.push_back({vision::class_colour(score.class_id),
                                 fmt::format("{} {:.2f}", label, score.confidence)});
    }
  } else {
    verdict = verdict_of_detections(inspection);
  }
  if (inspection.verdict) say_verdict(*inspection.verdict, verdict);
  return verdict;
}

}  // namespace

vision::Image draw(const vision::Image& image, const Inspection& inspection, const Heat& heat) {
  vision::Image drawn = image;
  if (heat.anomaly != nullptr) vision::draw_heat(drawn, *heat.anomaly, heat.scale);
  for (std::size_t i = inspection.masks.size(); i-- > 0;) {
    tint(drawn, inspection.masks[i],
         i < inspection.detections.size() ? inspection.detections[i].detection.class_id : 0);
  }
  std::vector<vision::LabelledBox> boxes;
  for (std::size_t i = 0; i < inspection.detections.size(); ++i) {
    const auto& [detection, label] = inspection.detections[i];
    vision::Box box = detection.box;
    if (i < inspection.rotated.size()) {
      vision::draw_rotated_box(drawn, inspection.rotated[i], detection.class_id);
      box = label_place(inspection.rotated[i]);
    }
    vision::draw_keypoints(drawn, inspection.keypoints_of(i), detection.class_id,
                           label == "person" ? vision::Limbs::of_a_person : vision::Limbs::none);
    boxes.push_back(
        {box, detection.class_id, fmt::format("{} {:.2f}", label, detection.confidence)});
  }
  vision::draw_boxes(drawn, boxes);
  return vision::with_verdict(drawn, verdict_of(inspection));
}

base::fs::path annotated_name(const base::fs::path& image_name) {
  const std::string name = image_name.filename().string();
  const std::string extension = base::to_lower(image_name.extension().string());
  if (extension == ".jpg" || extension == ".jpeg") return image_name;
  constexpr std::size_t kMostBytes = 255;
  if (name.size() + 4 <= kMostBytes) return image_name.parent_path() / (name + ".jpg");
  // Too long with the ending: what is left out is told apart by its digest.
  const std::string mark = "-" + trust::sha256_hex(name).substr(0, 16) + ".jpg";
  return image_name.parent_path() / (name.substr(0, kMostBytes - mark.size()) + mark);
}

void write_annotated(const base::fs::path& directory, const vision::Image& image,
                     const Inspection& inspection, const Heat& heat) {
  const base::fs::path path = directory / annotated_name(inspection.image_name);
  if (path.parent_path() != directory) base::make_directories(path.parent_path());
  base::write_file_atomically(path, vision::encode_jpeg(draw(image, inspection, heat)));
}

}  // namespace andon::inspect
