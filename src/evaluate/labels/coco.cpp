// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/coco.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error/error.hpp"
#include "evaluate/labels/coco_stream.hpp"
#include "evaluate/labels/problems.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;
using Kind = MemberValue::Kind;

constexpr std::size_t kPieceBytes = 256U << 10U;
constexpr double kMaxCoordinate = 1e9;
constexpr int kMaxSide = 1 << 20;
// Labels are often rounded outwards.
constexpr double kBorderTolerance = 1.0;

std::string place(const Record& record, Member member) {
  return fmt::format("{}.{}", record.place(), to_string(member));
}

std::optional<std::int64_t> whole(const Record& record, Member member, LabelProblems& problems) {
  const MemberValue& value = record[member];
  if (value.kind == Kind::number && value.is_whole) return value.whole;
  problems.add(place(record, member) +
               (value.kind == Kind::absent ? " is missing" : " must be a whole number"));
  return std::nullopt;
}

std::optional<std::string> text(const Record& record, Member member, LabelProblems& problems) {
  const MemberValue& value = record[member];
  if (value.kind == Kind::text && !value.text.empty()) return value.text;
  problems.add(place(record, member) +
               (value.kind == Kind::absent ? " is missing" : " must be a text of sensible length"));
  return std::nullopt;
}

// A side of a picture, which the labels may leave out.
std::optional<int> side(const Record& record, Member member, LabelProblems& problems) {
  const MemberValue& value = record[member];
  if (value.kind == Kind::absent) return 0;
  if (value.kind == Kind::number && value.is_whole && value.whole > 0 && value.whole <= kMaxSide) {
    return static_cast<int>(value.whole);
  }
  problems.add(
      fmt::format("{} must be a whole number from 1 to {}", place(record, member), kMaxSide));
  return std::nullopt;
}

std::optional<Rectangle> box(const Record& record, LabelProblems& problems) {
  const MemberValue& value = record[Member::bbox];
  if (value.kind != Kind::numbers || value.count != 4) {
    problems.add(place(record, Member::bbox) +
                 (value.kind == Kind::absent ? " is missing" : " must be [x, y, width, height]"));
    return std::nullopt;
  }
  const auto& [x, y, width, height] = value.numbers;
  for (const double number : value.numbers) {
    if (std::abs(number) <= kMaxCoordinate) continue;
    problems.add(fmt::format("{}: {} is no coordinate", place(record, Member::bbox), number));
    return std::nullopt;
  }
  if (width < 0 || height < 0) {
    problems.add(fmt::format("{}: the size is negative ({} x {}); it must be [x, y, width, height]",
                             place(record, Member::bbox), width, height));
    return std::nullopt;
  }
  return Rectangle{x, y, width, height};
}

bool leaves_folder(const std::string& file_name) {
  const fs::path path(file_name);
  return path.is_absolute() ||
         std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

bool has_control_characters(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// Makes a dataset of the records, which may come in any order: what refers to another list is
// resolved at the end.
class DatasetBuilder {
 public:
  DatasetBuilder(std::string_view name, const CocoLimits& limits) : name_(name), limits_(limits) {}

  void add(const Record& record) {
    switch (record.section) {
      case Section::images:
        limit(record, limits_.max_images);
        add_image(record);
        break;
      case Section::annotations:
        limit(record, limits_.max_annotations);
        add_annotation(record);
        break;
      default:
        limit(record, limits_.max_categories);
        add_category(record);
    }
  }

  Dataset finish(unsigned seen) {
    for (const Section section : {Section::images, Section::annotations, Section::categories}) {
      if ((seen & (1U << static_cast<unsigned>(section))) == 0) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("{} is not COCO's annotations: it has no \"{}\"", name_,
                                to_string(section)));
      }
    }
    problems_.throw_if_any(name_);
    if (dataset_.images.empty()) problems_.add("images is empty");
    if (dataset_.categories.empty()) problems_.add("categories is empty");
    const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
    std::sort(dataset_.images.begin(), dataset_.images.end(), by_id);
    std::sort(dataset_.categories.begin(), dataset_.categories.end(), by_id);
    place_annotations();
    problems_.throw_if_any(name_);
    without_area_.tell(dataset_.warnings, kWithoutArea);
    over_border_.tell(dataset_.warnings, kOverBorder);
    return std::move(dataset_);
  }

 private:
  struct Annotation {
    std::size_t index;
    std::int64_t image_id;
    std::int64_t category_id;
    Truth truth;
  };

  void limit(const Record& record, std::size_t most) const {
    if (record.index < most) return;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: more than {} {}", name_, most, to_string(record.section)));
  }

  void add_image(const Record& record) {
    const auto id = whole(record, Member::id, problems_);
    const auto file_name = text(record, Member::file_name, problems_);
    const auto width = side(record, Member::width, problems_);
    const auto height = side(record, Member::height, problems_);
    if (!id || !file_name || !width || !height) return;
    if (leaves_folder(*file_name) || has_control_characters(*file_name)) {
      problems_.add(fmt::format("{} must be the name of a file below the folder of pictures",
                                place(record, Member::file_name)));
      return;
    }
    if (!image_ids_.insert(*id).second) {
      problems_.add(
          fmt::format("{}: another picture has the id {} too", place(record, Member::id), *id));
      return;
    }
    if (!file_names_.insert(*file_name).second) {
      problems_.add(
          fmt::format("{}: '{}' occurs twice", place(record, Member::file_name), *file_name));
      return;
    }
    const bool is_known = *width > 0 && *height > 0;
    dataset_.images.push_back(
        {*id, *file_name, is_known ? vision::Size{*width, *height} : vision::Size{}, {}});
  }

  void add_category(const Record& record) {
    const auto id = whole(record, Member::id, problems_);
    const auto name = text(record, Member::name, problems_);
    if (!id || !name) return;
    for (const Category& other : dataset_.categories) {
      if (other.id == *id || other.name == *name) {
        problems_.add(fmt::format(
            "{}: another category has the {} too", record.place(),
            other.id == *id ? fmt::format("id {}", *id) : fmt::format("name '{}'", *name)));
        return;
      }
    }
    dataset_.categories.push_back({*id, *name});
  }

  void add_annotation(const Record& record) {
    const auto id = whole(record, Member::id, problems_);
    const auto image_id = whole(record, Member::image_id, problems_);
    const auto category_id = whole(record, Member::category_id, problems_);
    const auto rectangle = box(record, problems_);
    if (!id || !image_id || !category_id || !rectangle) return;
    if (!annotation_ids_.insert(*id).second) {
      problems_.add(
          fmt::format("{}: another annotation has the id {} too", place(record, Member::id), *id));
      return;
    }
    Truth truth{0, *rectangle, rectangle->area(), false};
    const MemberValue& area = record[Member::area];
    if (area.kind == Kind::number && area.number >= 0 && std::isfinite(area.number)) {
      truth.area = area.number;
    } else if (area.kind != Kind::absent) {
      problems_.add(place(record, Member::area) + " must be a number, 0 or more");
      return;
    }
    const MemberValue& crowd = record[Member::iscrowd];
    if (crowd.kind != Kind::absent) {
      const bool is_read = crowd.kind == Kind::number || crowd.kind == Kind::truth;
      if (!is_read || (crowd.number != 0 && crowd.number != 1)) {
        problems_.add(place(record, Member::iscrowd) + " must be 0 or 1");
        return;
      }
      truth.is_crowd = crowd.number == 1;
    }
    if (!(rectangle->area() > 0)) without_area_.note(record.place());
    annotations_.push_back({record.index, *image_id, *category_id, truth});
  }

  void place_annotations() {
    std::unordered_map<std::int64_t, std::size_t> image_of_id;
    for (std::size_t i = 0; i < dataset_.images.size(); ++i) {
      image_of_id.emplace(dataset_.images[i].id, i);
    }
    std::unordered_map<std::int64_t, std::size_t> category_of_id;
    for (std::size_t i = 0; i < dataset_.categories.size(); ++i) {
      category_of_id.emplace(dataset_.categories[i].id, i);
    }
    for (Annotation& annotation : annotations_) {
      Record record;
      record.section = Section::annotations;
      record.index = annotation.index;
      const auto image = image_of_id.find(annotation.image_id);
      if (image == image_of_id.end()) {
        problems_.add(fmt::format("{}: there is no picture with the id {}",
                                  place(record, Member::image_id), annotation.image_id));
        continue;
      }
      const auto category = category_of_id.find(annotation.category_id);
      if (category == category_of_id.end()) {
        problems_.add(fmt::format("{}: there is no category with the id {}",
                                  place(record, Member::category_id), annotation.category_id));
        continue;
      }
      LabelledImage& target = dataset_.images[image->second];
      if (!check_border(record, annotation.truth.box, target)) continue;
      annotation.truth.category = category->second;
      target.truths.push_back(annotation.truth);
    }
  }

  // A box outside its picture tells of labels for other pictures, or of another order of numbers.
  bool check_border(const Record& record, const Rectangle& rectangle, const LabelledImage& image) {
    if (image.size == vision::Size{}) return true;
    const double width = image.size.width;
    const double height = image.size.height;
    if (rectangle.x >= width || rectangle.y >= height || rectangle.x + rectangle.width < 0 ||
        rectangle.y + rectangle.height < 0) {
      problems_.add(fmt::format("{}: the box [{}, {}, {}, {}] lies outside its picture ({}x{})",
                                place(record, Member::bbox), rectangle.x, rectangle.y,
                                rectangle.width, rectangle.height, image.size.width,
                                image.size.height));
      return false;
    }
    if (rectangle.x < -kBorderTolerance || rectangle.y < -kBorderTolerance ||
        rectangle.x + rectangle.width > width + kBorderTolerance ||
        rectangle.y + rectangle.height > height + kBorderTolerance) {
      over_border_.note(record.place());
    }
    return true;
  }

  std::string name_;
  CocoLimits limits_;
  Dataset dataset_;
  std::vector<Annotation> annotations_;
  std::unordered_set<std::int64_t> image_ids_;
  std::unordered_set<std::string> file_names_;
  std::unordered_set<std::int64_t> annotation_ids_;
  LabelProblems problems_;
  Oddity without_area_;
  Oddity over_border_;
};

class ResultsBuilder {
 public:
  ResultsBuilder(std::string_view name, const Dataset& dataset, const CocoLimits& limits)
      : name_(name), limits_(limits), findings_(dataset.images.size()) {
    for (std::size_t i = 0; i < dataset.images.size(); ++i) {
      image_of_id_.emplace(dataset.images[i].id, i);
    }
    for (std::size_t i = 0; i < dataset.categories.size(); ++i) {
      category_of_id_.emplace(dataset.categories[i].id, i);
    }
  }

  void add(const Record& record) {
    if (record.index >= limits_.max_annotations) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: more than {} results", name_, limits_.max_annotations));
    }
    const auto image_id = whole(record, Member::image_id, problems_);
    const auto category_id = whole(record, Member::category_id, problems_);
    const auto rectangle = box(record, problems_);
    const MemberValue& score = record[Member::score];
    if (score.kind != Kind::number || !std::isfinite(score.number)) {
      problems_.add(place(record, Member::score) + " must be a number");
      return;
    }
    if (!image_id || !category_id || !rectangle) return;
    const auto image = image_of_id_.find(*image_id);
    if (image == image_of_id_.end()) {
      problems_.add(fmt::format("{}: the labels have no picture with the id {}",
                                place(record, Member::image_id), *image_id));
      return;
    }
    const auto category = category_of_id_.find(*category_id);
    if (category == category_of_id_.end()) {
      problems_.add(fmt::format("{}: the labels have no category with the id {}",
                                place(record, Member::category_id), *category_id));
      return;
    }
    findings_[image->second].push_back({category->second, score.number, *rectangle});
  }

  std::vector<Findings> finish() {
    problems_.throw_if_any(name_);
    return std::move(findings_);
  }

 private:
  std::string name_;
  CocoLimits limits_;
  std::vector<Findings> findings_;
  std::unordered_map<std::int64_t, std::size_t> image_of_id_;
  std::unordered_map<std::int64_t, std::size_t> category_of_id_;
  LabelProblems problems_;
};

// A file's text piece by piece.
class Pieces {
 public:
  explicit Pieces(const fs::path& path)
      : path_(path), fd_(base::open_file(path, O_RDONLY)), buffer_(kPieceBytes, '\0') {}

  std::string_view next() {
    while (true) {
      const ssize_t count = read(fd_.get(), buffer_.data(), buffer_.size());
      if (count >= 0) return std::string_view(buffer_).substr(0, static_cast<std::size_t>(count));
      if (errno != EINTR) {
        throw base::system_error(fmt::format("cannot read {}", path_.string()), errno);
      }
    }
  }

 private:
  fs::path path_;
  base::UniqueFd fd_;
  std::string buffer_;
};

using Next = std::function<std::string_view()>;

Next whole_text(std::string_view text) {
  return [rest = text]() mutable { return std::exchange(rest, {}); };
}

Dataset read_dataset(const Next& next, std::string_view name, const CocoLimits& limits) {
  DatasetBuilder builder(name, limits);
  const unsigned seen = read_coco_stream(Document::annotations, next, name, limits.max_text,
                                         [&](const Record& record) { builder.add(record); });
  return builder.finish(seen);
}

std::vector<Findings> read_results(const Next& next, std::string_view name, const Dataset& dataset,
                                   const CocoLimits& limits) {
  ResultsBuilder builder(name, dataset, limits);
  read_coco_stream(Document::results, next, name, limits.max_text,
                   [&](const Record& record) { builder.add(record); });
  return builder.finish();
}

}  // namespace

Dataset read_coco(const fs::path& file, const CocoLimits& limits) {
  Pieces pieces(file);
  return read_dataset([&] { return pieces.next(); }, file.string(), limits);
}

Dataset parse_coco(std::string_view text, std::string_view name, const CocoLimits& limits) {
  return read_dataset(whole_text(text), name, limits);
}

std::vector<Findings> read_coco_results(const fs::path& file, const Dataset& dataset,
                                        const CocoLimits& limits) {
  Pieces pieces(file);
  return read_results([&] { return pieces.next(); }, file.string(), dataset, limits);
}

std::vector<Findings> parse_coco_results(std::string_view text, std::string_view name,
                                         const Dataset& dataset, const CocoLimits& limits) {
  return read_results(whole_text(text), name, dataset, limits);
}

std::string to_coco_results(const Dataset& dataset, const std::vector<Findings>& findings) {
  std::string text = "[";
  for (std::size_t i = 0; i < findings.size(); ++i) {
    for (const Finding& finding : findings[i]) {
      const Rectangle& box = finding.box;
      fmt::format_to(std::back_inserter(text),
                     "{}\n{{\"image_id\": {}, \"category_id\": {}, \"bbox\": [{}, {}, {}, {}], "
                     "\"score\": {}}}",
                     text.size() == 1 ? "" : ",", dataset.images.at(i).id,
                     dataset.categories.at(finding.category).id, box.x, box.y, box.width,
                     box.height, finding.confidence);
    }
  }
  return text + "\n]\n";
}

}  // namespace andon::evaluate
