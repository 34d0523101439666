// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/labelled_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/parallel/parallel.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"
#include "evaluate/labels/coco.hpp"
#include "evaluate/labels/data_yaml.hpp"
#include "evaluate/labels/unreadable.hpp"
#include "evaluate/labels/yolo.hpp"
#include "vision/image/decode.hpp"
#include "vision/image/picture_files.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr std::size_t kMaxFileBytes = 256U << 20U;
constexpr std::size_t kMaxNameBytes = 1U << 20U;
constexpr std::string_view kClassesFile = "classes.txt";
constexpr int kFoldersAbove = 2;

// Pictures and where their labels are, if they have any.
struct YoloSet {
  std::string name;  // for messages
  fs::path root;     // of the names of the pictures
  std::vector<std::string> names;
  std::size_t keypoint_values = 0;
  std::vector<fs::path> pictures;
  std::vector<fs::path> labels;
};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

vision::Size size_of(const fs::path& picture, vision::ImageDecoder& decoder) {
  return decoder
      .decode(base::read_file(picture, kMaxFileBytes), picture.filename().string(),
              {.colours = vision::DecodeHint::Colours::may_be_planes})
      .full_size();
}

std::vector<vision::Size> sizes_of(const std::vector<fs::path>& pictures, int workers) {
  std::vector<vision::Size> sizes(pictures.size());
  std::vector<std::optional<Error>> errors(pictures.size());
  base::share_tasks(pictures.size(), base::worker_count(workers), [&](base::Share& share) {
    vision::ImageDecoder decoder;
    while (const auto i = share.take()) {
      try {
        sizes[*i] = size_of(pictures[*i], decoder);
      } catch (const Error& error) {
        errors[*i] = error;
      }
    }
  });
  UnreadablePictures unreadable;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (errors[i]) unreadable.note(pictures[i], *errors[i]);
  }
  unreadable.throw_if_any(pictures.size());
  return sizes;
}

// The name that results and reports show.
std::string name_below(const fs::path& root, const fs::path& picture) {
  const fs::path name = picture.lexically_relative(root);
  return name.empty() || *name.begin() == ".." ? picture.string() : name.string();
}

Dataset read_yolo(const YoloSet& set, int workers) {
  const std::vector<vision::Size> sizes = sizes_of(set.pictures, workers);
  Dataset dataset;
  YoloNotes notes;
  std::size_t classes = set.names.size();
  std::size_t labelled = 0;
  for (std::size_t i = 0; i < set.pictures.size(); ++i) {
    LabelledImage& image = dataset.images.emplace_back();
    image.id = static_cast<std::int64_t>(i) + 1;
    image.file_name = name_below(set.root, set.pictures[i]);
    image.size = sizes[i];
    if (!is_there(set.labels[i])) continue;
    ++labelled;
    image.truths =
        parse_yolo(base::read_file(set.labels[i], kMostYoloBytes), set.labels[i].string(),
                   {set.names.size(), set.keypoint_values}, image.size, notes);
    for (const Truth& truth : image.truths) classes = std::max(classes, truth.category + 1);
  }
  notes.problems.throw_if_any(set.name);
  if (labelled == 0) {
    throw Error(ErrorCode::not_found,
                fmt::format("{}: none of its {} pictures has a label file; that of {} would be {}",
                            set.name, set.pictures.size(), set.pictures.front().string(),
                            set.labels.front().string()));
  }
  if (labelled < set.pictures.size()) {
    dataset.warnings.push_back(
        fmt::format("{} of {} pictures have no label file: nothing is "
                    "labelled in them",
                    set.pictures.size() - labelled, set.pictures.size()));
  }
  notes.tell(dataset.warnings);
  for (std::size_t id = 0; id < std::max<std::size_t>(classes, 1); ++id) {
    dataset.categories.push_back(
        {static_cast<std::int64_t>(id),
         id < set.names.size() ? set.names[id] : fmt::format("class {}", id)});
  }
  return dataset;
}

YoloSet of_data_yaml(const LabelPlace& place) {
  const bool has_images = !place.images.empty();
  DataYaml data = read_data_yaml(place.labels, has_images ? "" : place.split);
  YoloSet set{.name = place.labels.string(),
              .root = (has_images ? place.images : data.root).lexically_normal(),
              .names = std::move(data.names),
              .keypoint_values = data.keypoint_values,
              .pictures = {},
              .labels = {}};
  set.pictures = has_images ? vision::picture_files(place.images, vision::Folders::all_below)
                            : pictures_of(data, place.labels);
  for (const fs::path& picture : set.pictures) set.labels.push_back(yolo_labels_of(picture));
  return set;
}

std::vector<std::string> read_classes(const fs::path& file) {
  const std::string text = base::read_file(file, kMaxNameBytes);
  std::vector<std::string> names;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view name = base::trim(base::take_part(rest, '\n'), " \t\r");
    if (!name.empty()) names.emplace_back(name);
  }
  const std::set<std::string> different(names.begin(), names.end());
  if (names.empty() || names.size() > kMostYoloClasses || different.size() != names.size()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} must name 1 to {} classes, a line each and none twice",
                            file.string(), kMostYoloClasses));
  }
  return names;
}

// Beside the labels or above them.
void read_names(const fs::path& folder, YoloSet& set) {
  if (is_there(folder / kClassesFile)) {
    set.names = read_classes(folder / kClassesFile);
    return;
  }
  std::error_code error;
  fs::path at = fs::canonical(folder, error);
  for (int i = 0; !error && i <= kFoldersAbove; ++i, at = at.parent_path()) {
    if (!is_there(at / "data.yaml")) continue;
    DataYaml data = read_data_yaml(at / "data.yaml", "");
    set.names = std::move(data.names);
    set.keypoint_values = data.keypoint_values;
    return;
  }
}

// Files of labels that no picture has tell of another folder of pictures.
void require_pictures(const fs::path& folder, const YoloSet& set) {
  const std::set<fs::path> used(set.labels.begin(), set.labels.end());
  std::size_t count = 0;
  std::string first;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() != ".txt" || path.filename() == kClassesFile) continue;
    if (path.filename().string().starts_with('.') || used.contains(path)) continue;
    if (count++ == 0) first = path.string();
  }
  if (count == 0) return;
  throw Error(ErrorCode::not_found, fmt::format("{} label files in {} have no picture (first: {})",
                                                count, folder.string(), first));
}

YoloSet of_folder(const LabelPlace& place) {
  if (place.images.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is a folder: say in which the pictures are, too, or name its "
                            "data.yaml",
                            place.labels.string()));
  }
  YoloSet set{.name = place.labels.string(),
              .root = place.images,
              .names = {},
              .keypoint_values = 0,
              .pictures = vision::picture_files(place.images, vision::Folders::all_below),
              .labels = {}};
  read_names(place.labels, set);
  for (const fs::path& picture : set.pictures) {
    set.labels.push_back(
        (place.labels / picture.lexically_relative(place.images)).replace_extension(".txt"));
  }
  require_pictures(place.labels, set);
  return set;
}

bool is_yaml(const fs::path& path) {
  const std::string ending = base::to_lower(path.extension().string());
  return ending == ".yaml" || ending == ".yml";
}

}  // namespace

LabelledSet read_labels(const LabelPlace& place) {
  LabelledSet set;
  std::error_code ignored;
  const bool is_folder = fs::is_directory(place.labels, ignored);
  if (!is_folder && !is_yaml(place.labels)) {
    set.dataset = read_coco(place.labels);
    if (!place.images.empty()) set.files = image_files(set.dataset, place.images);
    return set;
  }
  YoloSet yolo = is_folder ? of_folder(place) : of_data_yaml(place);
  set.dataset = read_yolo(yolo, place.workers);
  set.files = std::move(yolo.pictures);
  return set;
}

}  // namespace andon::evaluate
