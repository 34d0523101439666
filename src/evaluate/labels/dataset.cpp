// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "base/error/error.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr std::size_t kNamesShown = 5;

double shared_area(const Rectangle& left, const Rectangle& right) {
  const double width =
      std::min(left.x + left.width, right.x + right.width) - std::max(left.x, right.x);
  const double height =
      std::min(left.y + left.height, right.y + right.height) - std::max(left.y, right.y);
  return width > 0 && height > 0 ? width * height : 0;
}

template <typename Names>
std::string list(const Names& names) {
  std::string text;
  std::size_t count = 0;
  for (const auto& name : names) {
    if (count == 2 * kNamesShown) return text + fmt::format(" and {} more", names.size() - count);
    text += fmt::format("{}'{}'", count == 0 ? "" : ", ", name);
    ++count;
  }
  return text.empty() ? "none" : text;
}

// "class 0", "class 1", ...: what vision calls the classes of a model without names.
bool has_no_names(std::span<const std::string> labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != fmt::format("class {}", i)) return false;
  }
  return true;
}

std::vector<std::string> names_of(const Dataset& dataset) {
  std::vector<std::string> names;
  for (const Category& category : dataset.categories) names.push_back(category.name);
  return names;
}

}  // namespace

double intersection_over_union(const Rectangle& left, const Rectangle& right) {
  const double shared = shared_area(left, right);
  return shared > 0 ? shared / (left.area() + right.area() - shared) : 0;
}

double share_inside(const Rectangle& inner, const Rectangle& outer) {
  const double shared = shared_area(inner, outer);
  return shared > 0 ? shared / inner.area() : 0;
}

std::size_t Dataset::count_truths() const {
  std::size_t count = 0;
  for (const LabelledImage& image : images) count += image.truths.size();
  return count;
}

std::vector<fs::path> image_files(const Dataset& dataset, const fs::path& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    throw Error(ErrorCode::not_found,
                fmt::format("{} is not a directory of pictures", directory.string()));
  }
  std::vector<fs::path> files;
  std::vector<std::string_view> missing;
  for (const LabelledImage& image : dataset.images) {
    files.push_back(directory / image.file_name);
    if (!fs::is_regular_file(files.back(), error)) missing.push_back(image.file_name);
  }
  if (!missing.empty()) {
    const std::size_t count = missing.size();
    missing.resize(std::min(count, kNamesShown));
    throw Error(ErrorCode::not_found,
                fmt::format("{} of the {} pictures that the labels name are not in {}: {}{}", count,
                            dataset.images.size(), directory.string(), list(missing),
                            count > missing.size() ? ", ..." : ""));
  }
  return files;
}

std::vector<std::size_t> match_labels(const Dataset& dataset,
                                      std::span<const std::string> model_labels) {
  std::vector<std::size_t> categories(model_labels.size(), kNoCategory);
  if (has_no_names(model_labels) && model_labels.size() == dataset.categories.size()) {
    for (std::size_t i = 0; i < categories.size(); ++i) categories[i] = i;
    return categories;
  }
  // Labels of YOLO without names know classes by their numbers, and perhaps not the last ones.
  if (has_no_names(names_of(dataset)) && model_labels.size() >= dataset.categories.size()) {
    for (std::size_t i = 0; i < dataset.categories.size(); ++i) categories[i] = i;
    return categories;
  }
  std::map<std::string_view, std::size_t> by_name;
  for (std::size_t i = 0; i < dataset.categories.size(); ++i) {
    by_name.emplace(dataset.categories[i].name, i);
  }
  std::vector<bool> is_known(dataset.categories.size(), false);
  for (std::size_t i = 0; i < model_labels.size(); ++i) {
    const auto found = by_name.find(model_labels[i]);
    if (found == by_name.end()) continue;
    categories[i] = found->second;
    is_known[found->second] = true;
  }
  std::map<std::string_view, std::size_t> unknown;
  for (const LabelledImage& image : dataset.images) {
    for (const Truth& truth : image.truths) {
      if (!is_known[truth.category]) ++unknown[dataset.categories[truth.category].name];
    }
  }
  // Without any object there is nothing to miss, but no name in common is still a mix-up.
  const bool has_nothing_in_common =
      std::none_of(is_known.begin(), is_known.end(), [](bool known) { return known; });
  if (!unknown.empty() || has_nothing_in_common) {
    std::vector<std::string_view> names;
    std::size_t objects = 0;
    for (const auto& [name, count] : unknown) {
      names.push_back(name);
      objects += count;
    }
    if (names.empty()) {
      for (const Category& category : dataset.categories) names.push_back(category.name);
    }
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the labels do not match the model: it does not know {} ({} labelled "
                            "objects); its classes are {}",
                            list(names), objects, list(model_labels)));
  }
  return categories;
}

Findings to_findings(std::span<const vision::Detection> detections,
                     std::span<const std::size_t> category_of_class) {
  Findings findings;
  findings.reserve(detections.size());
  for (const vision::Detection& detection : detections) {
    const auto class_id = static_cast<std::size_t>(detection.class_id);
    if (detection.class_id < 0 || class_id >= category_of_class.size()) continue;
    if (category_of_class[class_id] == kNoCategory) continue;
    const vision::Box& box = detection.box;
    findings.push_back(
        {category_of_class[class_id], detection.confidence, {box.x, box.y, box.width, box.height}});
  }
  return findings;
}

}  // namespace andon::evaluate
