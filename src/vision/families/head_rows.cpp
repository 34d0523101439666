// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

#include "vision/findings/suppression.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

struct Row {
  const float* values;  // centre x, centre y, width, height, objectness, a score a class
  std::size_t anchor;
};

Corners centred(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

// YOLOv5 (boxes in input pixels) and YOLOX (in its own grids): [anchors][5+classes].
class RowHead final : public Head {
 public:
  explicit RowHead(const HeadPlan& plan)
      : classes_(plan.classes), is_in_grid_(plan.kind == HeadKind::yolox && !plan.is_decoded) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const auto anchors = static_cast<std::size_t>(output.shape[1]);
    const std::size_t width = 5 + classes_;
    const float* values = output.values.data() + item * anchors * width;
    std::vector<Candidate>& candidates = suppressor_.start();
    for (std::size_t anchor = 0; anchor < anchors; ++anchor, values += width) {
      if (!(values[4] > options.confidence)) continue;
      add({values, anchor}, options.confidence, plan.target, candidates);
    }
    map_back(suppressor_.suppress(options), plan, into.detections);
  }

 private:
  void add(const Row& row, float confidence, Size input, std::vector<Candidate>& candidates) const {
    std::size_t class_id = 0;
    for (std::size_t c = 1; c < classes_; ++c) {
      if (row.values[5 + c] > row.values[5 + class_id]) class_id = c;
    }
    const float score = row.values[4] * row.values[5 + class_id];
    if (!(score > confidence)) return;
    const Corners corners =
        is_in_grid_ ? from_grid(row, input)
                    : centred(row.values[0], row.values[1], row.values[2], row.values[3]);
    if (!corners.is_box()) return;
    candidates.push_back({corners, score, static_cast<std::int32_t>(class_id),
                          static_cast<std::uint32_t>(row.anchor)});
  }

  // The centre from the cell's corner, the sides as logarithms, all in strides.
  static Corners from_grid(const Row& row, Size input) {
    std::size_t cell = row.anchor;
    for (const int stride : std::array{8, 16, 32}) {
      const auto width = static_cast<std::size_t>(input.width / stride);
      const std::size_t cells = width * static_cast<std::size_t>(input.height / stride);
      if (cell >= cells) {
        cell -= cells;
        continue;
      }
      const auto step = static_cast<float>(stride);
      const std::size_t line = cell / width;
      return centred((row.values[0] + static_cast<float>(cell % width)) * step,
                     (row.values[1] + static_cast<float>(line)) * step,
                     std::exp(row.values[2]) * step, std::exp(row.values[3]) * step);
    }
    return {};
  }

  std::size_t classes_;
  bool is_in_grid_;
  Suppressor suppressor_;
};

constexpr std::int64_t kAnchorsOfACell = 3;  // of YOLOv5

// Rows of which there are as many as `grid` has cells, times `of_each`.
Reading read_cells(const Evidence& evidence, const std::optional<Grid>& grid,
                   std::int64_t of_each) {
  const Evidence::Output* rows = evidence.of_rank(3);
  const std::int64_t classes = rows->shape[2] - 5;
  if (!grid || classes < 1 || rows->shape[0] != evidence.batch()) return {};
  if (evidence.names() > 0 && evidence.names() == classes + 1) {
    return {Claim::none, "its output looks like [batch,anchors,4+classes]; the two may be swapped"};
  }
  if (evidence.names() > 0 && evidence.names() != classes) {
    return {Claim::none,
            fmt::format("its output has {} classes, but {} are named", classes, evidence.names())};
  }
  if (evidence.says_picked() == true) {
    return {Claim::none, "its metadata say that it picks its boxes itself"};
  }
  return {Claim::certain,
          fmt::format("it has {} rows, {} for each cell over strides of {} to {} of an input of "
                      "{}x{}, each of a box, how sure it is, and {} class(es)",
                      rows->shape[1], of_each, grid->first_stride, grid->last_stride,
                      evidence.input().width, evidence.input().height, classes)};
}
Reading read_yolov5(const Evidence& evidence) {
  const Evidence::Output* rows = evidence.of_rank(3);
  if (rows == nullptr || rows->shape[1] % kAnchorsOfACell != 0) return {};
  return read_cells(evidence, grid_of(rows->shape[1] / kAnchorsOfACell, evidence.input()),
                    kAnchorsOfACell);
}

// How many rows have a value that is so, in parts of all.
template <typename IsSo>
double share_of_rows(const Evidence::Output& rows, const IsSo& is_so) {
  const auto width = static_cast<std::size_t>(rows.shape[2]);
  std::size_t count = 0;
  for (std::size_t at = 0; at + width <= rows.values.size(); at += width) {
    if (is_so(&rows.values[at])) ++count;
  }
  return rows.values.empty()
             ? 0
             : static_cast<double>(count * width) / static_cast<double>(rows.values.size());
}
// Centres of cells over the input, and not offsets within a cell.
bool are_decoded(const Evidence::Output& rows) {
  constexpr float kBeyondACell = 16;
  return share_of_rows(rows, [](const float* row) {
           return row[0] > kBeyondACell || row[1] > kBeyondACell;
         }) > 0.25;
}

Reading read_yolox(const Evidence& evidence) {
  const Evidence::Output* rows = evidence.of_rank(3);
  if (rows == nullptr || rows->shape[1] != evidence.cells()) return {};
  if (share_of_rows(*rows, [](const float* row) { return row[4] == 1; }) == 1) {
    return {Claim::none,
            "its fifth value is 1 everywhere, as YOLOv6 has it; if that is what it is, say `head: "
            "yolox`, `decoded: true`, `fit: letterbox`, `channels: rgb` and `divisor: 255`"};
  }
  return read_cells(evidence, Grid{8, 32}, 1);
}

void fit_yolov5(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_rows(plan, 5);
  const auto cells = static_cast<std::int64_t>(plan.anchors) / kAnchorsOfACell;
  if (const auto grid = grid_of(cells, evidence.input())) plan.stride = grid->last_stride;
}
void fit_yolox(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_rows(plan, 5);
  evidence.check_grid(plan.anchors);
  if (evidence.spec().is_decoded || !are_decoded(*evidence.of_rank(3))) return;
  plan.is_decoded = true;
  plan.why += "; its boxes are in pixels of the input already";
}

bool check_yolov5(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) && is(outputs.front().shape[2], 5 + plan.classes);
}
bool check_yolox(const HeadPlan& plan, Outputs outputs, Size input) {
  return check_yolov5(plan, outputs, input) && is(outputs.front().shape[1], grid_cells(input));
}

void prepare_yolox(Preprocessing& preprocessing, const Session& /*session*/, Size /*input*/) {
  preprocessing.fit = Fit::letterbox_top_left;
  preprocessing.channels = Preprocessing::Channels::bgr;
  preprocessing.divisor = 1;
}

}  // namespace

constinit const Family kYolov5{.kind = HeadKind::yolov5,
                               .name = "yolov5",
                               .task = "detect",
                               .help = "float32 [batch,anchors,5+classes], three anchors a cell",
                               .read = read_yolov5,
                               .fit = fit_yolov5,
                               .check = check_yolov5,
                               .make = make_of<RowHead>};

constinit const Family kYolox{.kind = HeadKind::yolox,
                              .name = "yolox",
                              .task = "detect",
                              .help = "float32 [batch,cells,5+classes]",
                              .read = read_yolox,
                              .fit = fit_yolox,
                              .check = check_yolox,
                              .make = make_of<RowHead>,
                              .prepare = prepare_yolox};

}  // namespace andon::vision
