// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "vision/findings/suppression.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

// Number of the picture in the batch, left, top, right, bottom, class, score.
constexpr std::size_t kRowWidth = 7;
constexpr std::size_t kClassAt = 5;
constexpr std::size_t kScoreAt = 6;

// YOLOv7 exported with --grid --end2end --max-wh: the boxes of all pictures of a batch together, as
// many as there are; it suppresses overlaps itself.
class Yolov7Head final : public Head {
 public:
  explicit Yolov7Head(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const auto count = static_cast<std::size_t>(outputs.front().shape[0]);
    const float* row = outputs.front().values.data();
    std::vector<Candidate>& candidates = suppressor_.start();
    for (std::size_t i = 0; i < count; ++i, row += kRowWidth) {
      const float score = row[kScoreAt];
      const float class_id = row[kClassAt];
      if (row[0] != static_cast<float>(item) || !(score > options.confidence)) continue;
      if (!(class_id >= 0 && class_id < static_cast<float>(classes_))) continue;
      const Corners corners{row[1], row[2], row[3], row[4]};
      if (!corners.is_box()) continue;
      candidates.push_back(
          {corners, score, static_cast<std::int32_t>(class_id), static_cast<std::uint32_t>(i)});
    }
    map_back(suppressor_.best(options), plan, into.detections);
  }

 private:
  std::size_t classes_;
  Suppressor suppressor_;
};

bool are_boxes(const Evidence::Output& rows, std::int64_t batch) {
  for (std::size_t at = 0; at + kRowWidth <= rows.values.size(); at += kRowWidth) {
    const float* row = &rows.values[at];
    const auto is_whole = [](float value) { return value >= 0 && value == std::floor(value); };
    if (!is_whole(row[0]) || row[0] >= static_cast<float>(batch) || !is_whole(row[kClassAt]) ||
        !(row[kScoreAt] >= 0 && row[kScoreAt] <= 1)) {
      return false;
    }
  }
  return true;
}

Reading read(const Evidence& evidence) {
  const Evidence::Output* rows = evidence.of_rank(2);
  if (rows == nullptr || rows->shape[1] != static_cast<std::int64_t>(kRowWidth)) return {};
  if (!are_boxes(*rows, evidence.batch())) {
    return {Claim::none, "its rows of 7 values do not begin with the number of a picture"};
  }
  const bool says_more = rows->has_free_rows && !evidence.has_free_batch();
  if (rows->shape[0] != evidence.batch() || says_more) {
    return {Claim::certain,
            fmt::format("its output has {} rows of 7 values for {} picture(s), "
                        "each with the number of a picture",
                        says_more ? "any number of" : std::to_string(rows->shape[0]),
                        evidence.batch())};
  }
  // As many as there are pictures: by chance, or because they are classes.
  const bool has_nothing =
      std::all_of(rows->values.begin(), rows->values.end(), [](float value) { return value == 0; });
  return {has_nothing ? Claim::possible : Claim::likely,
          "its rows have 7 values, as the number of a picture, a box, a class and a score"};
}

void fit(const Evidence& evidence, HeadPlan& plan) {
  const Evidence::Output* rows = evidence.of_rank(2);  // empty where nothing was found
  if (rows == nullptr || rows->shape[1] != static_cast<std::int64_t>(kRowWidth)) {
    evidence.refuse("it has no output [boxes,7]");
  }
  plan.outputs = {rows->index};
  evidence.leave_classes_open(plan);
}

bool check(const HeadPlan& /*plan*/, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 2) && is(outputs.front().shape[1], kRowWidth);
}

}  // namespace

constinit const Family kYolov7EndToEnd{
    .kind = HeadKind::yolov7_end_to_end,
    .name = "yolov7_end_to_end",
    .task = "detect",
    .help = "float32 [boxes,7]: YOLOv7 with built-in NMS; picture, corners, class, score",
    .read = read,
    .fit = fit,
    .check = check,
    .make = make_of<Yolov7Head>,
    .has_batch = false};

}  // namespace andon::vision
