// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/yolo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::evaluate {
namespace {

constexpr std::size_t kBoxValues = 4;
constexpr std::size_t kMostValues = 20'000;  // of a row
// As Ultralytics takes them: labels are often rounded outwards.
constexpr double kTolerance = 0.01;
constexpr double kBorderPixels = 1.0;

// In parts of the picture.
struct Row {
  std::size_t category = 0;
  Rectangle box;
  double area = 0;
};

class Reader {
 public:
  Reader(std::string_view name, const YoloFormat& format, YoloNotes& notes)
      : name_(name), format_(format), notes_(notes) {}

  // What is wrong with the row has been told where there is none.
  std::optional<Row> read(std::string_view line, std::size_t number) {
    place_ = fmt::format("{}:{}", name_, number);
    const std::vector<std::string_view> words = base::split_words(line, " \t,\r");
    if (words.empty()) return refuse("it has no values");
    const auto category = base::parse_integer<std::int64_t>(words.front(), 0);
    // Some tools write the class as 0.0.
    const auto as_number = base::parse_number(words.front());
    const bool is_whole = as_number && *as_number >= 0 && *as_number < kMostYoloClasses &&
                          std::floor(*as_number) == *as_number;
    if (!category && !is_whole) {
      return refuse(fmt::format("'{}' is no class; a row is CLASS X Y WIDTH HEIGHT",
                                words.front().substr(0, 40)));
    }
    const auto id =
        static_cast<std::size_t>(category ? *category : static_cast<std::int64_t>(*as_number));
    const std::size_t most = format_.classes > 0 ? format_.classes : kMostYoloClasses;
    if (id >= most) {
      return refuse(fmt::format("there is no class {}; there are {}, from 0", id, most));
    }
    const std::size_t count = words.size() - 1;
    if (count > kMostValues) return refuse("it has too many values");
    values_.clear();
    for (const std::string_view word : std::span(words).subspan(1)) {
      const auto value = base::parse_number(word);
      if (!value) return refuse(fmt::format("'{}' is no number", word.substr(0, 40)));
      values_.push_back(*value);
    }
    std::optional<Row> row = count == kBoxValues + format_.keypoint_values ? box()
                             : format_.keypoint_values == 0 && count >= 6 && count % 2 == 0
                                 ? outline()
                                 : refuse(wrong_count(count));
    if (row) row->category = id;
    return row;
  }

  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  std::nullopt_t refuse(std::string_view why) {
    notes_.problems.add(fmt::format("{}: {}", place_, why));
    return std::nullopt;
  }

  [[nodiscard]] std::string wrong_count(std::size_t count) const {
    if (format_.keypoint_values > 0) {
      return fmt::format("{} values stand behind the class, not 4 of the box and {} of keypoints",
                         count, format_.keypoint_values);
    }
    if (count == kBoxValues + 1) {
      return "5 values stand behind the class: a detection with its confidence is no label";
    }
    return fmt::format(
        "{} values stand behind the class, not 4 of a box or pairs of an outline (6 or more)",
        count);
  }

  bool are_parts(std::span<const double> values) {
    for (const double value : values) {
      if (value >= -kTolerance && value <= 1 + kTolerance) continue;
      refuse(
          fmt::format("{} is not within 0 and 1; coordinates are parts of the picture's width "
                      "and height",
                      value));
      return false;
    }
    return true;
  }

  std::optional<Row> box() {
    if (values_[2] < 0 || values_[3] < 0) {
      return refuse(fmt::format("the size is negative ({} x {})", values_[2], values_[3]));
    }
    if (!are_parts(std::span(values_).first(kBoxValues))) return std::nullopt;
    const Rectangle box{values_[0] - values_[2] / 2, values_[1] - values_[3] / 2, values_[2],
                        values_[3]};
    return Row{0, box, box.area()};
  }

  std::optional<Row> outline() {
    if (!are_parts(values_)) return std::nullopt;
    double left = values_[0];
    double right = values_[0];
    double top = values_[1];
    double bottom = values_[1];
    double twice_area = 0;
    for (std::size_t i = 0; i < values_.size(); i += 2) {
      const std::size_t next = (i + 2) % values_.size();
      left = std::min(left, values_[i]);
      right = std::max(right, values_[i]);
      top = std::min(top, values_[i + 1]);
      bottom = std::max(bottom, values_[i + 1]);
      twice_area += values_[i] * values_[next + 1] - values_[next] * values_[i + 1];
    }
    return Row{0, {left, top, right - left, bottom - top}, std::abs(twice_area) / 2};
  }

  std::string_view name_;
  const YoloFormat& format_;
  YoloNotes& notes_;
  std::string place_;
  std::vector<double> values_;
};

}  // namespace

void YoloNotes::tell(std::vector<std::string>& warnings) const {
  without_area.tell(warnings, kWithoutArea);
  over_border.tell(warnings, kOverBorder);
  doubled.tell(warnings, "rows are in their file twice and count once");
}

std::vector<Truth> parse_yolo(std::string_view text, std::string_view name,
                              const YoloFormat& format, vision::Size picture, YoloNotes& notes) {
  std::vector<Truth> truths;
  if (text.size() > kMostYoloBytes) {
    notes.problems.add(fmt::format("{}: it has more than {} bytes", name, kMostYoloBytes));
    return truths;
  }
  Reader reader(name, format, notes);
  std::set<std::string_view> seen;
  const double width = picture.width;
  const double height = picture.height;
  std::size_t number = 0;
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  while (!rest.empty()) {
    const std::string_view line = base::trim(base::take_part(rest, '\n'), " \t\r");
    ++number;
    if (line.empty()) continue;
    if (seen.size() == kMostYoloRows) {
      notes.problems.add(fmt::format("{}: it has more than {} rows", name, kMostYoloRows));
      return truths;
    }
    const auto row = reader.read(line, number);
    if (!row) continue;
    if (!seen.insert(line).second) {
      notes.doubled.note(reader.place());
      continue;
    }
    const Rectangle box{row->box.x * width, row->box.y * height, row->box.width * width,
                        row->box.height * height};
    if (!(box.area() > 0)) notes.without_area.note(reader.place());
    if (box.x < -kBorderPixels || box.y < -kBorderPixels ||
        box.x + box.width > width + kBorderPixels || box.y + box.height > height + kBorderPixels) {
      notes.over_border.note(reader.place());
    }
    truths.push_back({row->category, box, row->area * width * height, false});
  }
  return truths;
}

}  // namespace andon::evaluate
