// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "vision/heads/metadata.hpp"

namespace andon::vision {
namespace {

constexpr std::string_view kRtDetrClass = "RTDETRDecoder";  // in Ultralytics' metadata
constexpr std::size_t kClassColumn = 5;
constexpr std::size_t kScoreColumn = 4;

// The scores of planes: from the class `first` on, `count` of them.
bool are_scores(const Evidence::Output& planes, std::int64_t first, std::int64_t count) {
  constexpr float kRounding = 1e-3F;
  const auto anchors = static_cast<std::size_t>(planes.shape[2]);
  const auto scores = planes.values.subspan(static_cast<std::size_t>(first) * anchors,
                                            static_cast<std::size_t>(count) * anchors);
  return std::none_of(scores.begin(), scores.end(),
                      [](float score) { return score < -kRounding || score > 1 + kRounding; });
}

// What a column of rows looks like that should hold the number of a class.
enum class Column { empty, whole, broken };
Column look_at_classes(const Evidence::Output& rows) {
  const auto width = static_cast<std::size_t>(rows.shape[2]);
  const bool is_empty =
      std::all_of(rows.values.begin(), rows.values.end(), [](float value) { return value == 0; });
  if (is_empty) return Column::empty;
  for (std::size_t at = 0; at + width <= rows.values.size(); at += width) {
    const float class_id = rows.values[at + kClassColumn];
    const float score = rows.values[at + kScoreColumn];
    // Rows without a box may have -1.
    const bool fits = class_id >= -1 && class_id == std::floor(class_id) && score <= 1;
    if (!fits) return Column::broken;
  }
  return Column::whole;
}

std::string strides_of(const Grid& grid) {
  std::string text;
  for (int stride = grid.first_stride; stride <= grid.last_stride; stride *= 2) {
    const bool is_last = stride == grid.last_stride;
    text += fmt::format("{}{}", text.empty() ? "" : is_last ? " and " : ", ", stride);
  }
  return text;
}

}  // namespace

std::optional<Grid> grid_of(std::int64_t cells, Size input) {
  // The usual one, P6, P2, P2 to P6, and the two of the tiny ones.
  constexpr std::array<Grid, 5> kGrids{{{8, 32}, {8, 64}, {4, 32}, {4, 64}, {16, 32}}};
  const auto has_so_many = [&](const Grid& grid) {
    std::int64_t sum = 0;
    for (int stride = grid.first_stride; stride <= grid.last_stride; stride *= 2) {
      sum += std::int64_t{input.width / stride} * (input.height / stride);
    }
    return cells > 0 && sum == cells;
  };
  const auto* found = std::ranges::find_if(kGrids, has_so_many);
  return found == kGrids.end() ? std::nullopt : std::optional(*found);
}

Evidence::Evidence(const Session& session, const ModelSpec& spec, Size input,
                   std::span<const Session::Output> outputs)
    : session_(session), spec_(spec), input_(input) {
  const std::vector<std::size_t> indices = readable_outputs(session);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const TensorInfo& info = session.outputs()[indices[i]];
    const bool has_free_rows = !info.shape.empty() && info.shape.front() < 0;
    outputs_.push_back(
        {indices[i], info.name, outputs[i].shape, info.type, outputs[i].values, has_free_rows});
  }
  const Shape& declared = session.inputs().front().shape;
  has_free_batch_ = declared.front() < 0;
  if (!has_free_batch_) batch_ = declared.front();
  names_ = static_cast<std::int64_t>(spec.labels.size());
  if (names_ == 0) {
    const std::string_view names = metadata("names");
    if (!names.empty()) names_ = static_cast<std::int64_t>(parse_names(names).size());
  }
  keypoints_ = spec.keypoints;
  const std::string_view shape = metadata("kpt_shape");
  if (!keypoints_ && !shape.empty()) keypoints_ = parse_keypoint_shape(shape);
}

void Evidence::refuse(std::string_view why) const {
  refuse_model(session_, why);
}

std::string_view Evidence::metadata(const std::string& key) const {
  return metadata_value(session_, key);
}

std::int64_t Evidence::cells() const {
  return static_cast<std::int64_t>(grid_cells(input_));
}

const Evidence::Output* Evidence::named(std::string_view name) const {
  const auto it = std::find_if(outputs_.begin(), outputs_.end(),
                               [&](const Output& output) { return output.name == name; });
  return it == outputs_.end() ? nullptr : &*it;
}

const Evidence::Output* Evidence::of_rank(std::size_t rank) const {
  const auto it = std::find_if(outputs_.begin(), outputs_.end(), [&](const Output& output) {
    return output.type == ElementType::float32 && output.shape.size() == rank;
  });
  return it == outputs_.end() ? nullptr : &*it;
}

bool Evidence::has_prototypes() const {
  const Output* maps = of_rank(4);
  return of_rank(3) != nullptr && maps != nullptr && maps->shape[1] == kMasks;
}

bool Evidence::says_rt_detr_class() const {
  return metadata("head") == kRtDetrClass;
}

bool Evidence::says_detr() const {
  const std::string_view description = metadata("description");
  return description.find("DETR") != std::string_view::npos ||
         description.find("rtdetr") != std::string_view::npos || says_rt_detr_class();
}

bool Evidence::says_yolo() const {
  const std::string_view description = metadata("description");
  return description.find("YOLO") != std::string_view::npos ||
         description.find("yolo") != std::string_view::npos;
}

std::optional<bool> Evidence::says_picked() const {
  const std::string_view end = metadata("end2end");
  const std::optional<bool> suppresses = parse_flag(metadata("args"), "nms");
  if (end == "True" || end == "true" || suppresses == true) return true;
  // Only exporters that would say so say that it does not.
  if (end == "False" || end == "false") return false;
  return std::nullopt;
}

Reading Evidence::read_planes(const Planes& wanted) const {
  const Output* planes = of_rank(3);
  if (planes == nullptr) return {};
  const std::int64_t channels = planes->shape[1];
  const std::int64_t anchors = planes->shape[2];
  const std::int64_t others = wanted.before + wanted.after;
  const std::int64_t classes = channels - others;
  if (planes->shape[0] != batch_) {
    return {Claim::none,
            fmt::format("its output has {} for {} picture(s)", planes->shape[0], batch_)};
  }
  if (anchors < channels) {
    return {Claim::none,
            fmt::format("its output {} has fewer anchors than channels; the two may be swapped",
                        planes->name)};
  }
  if (classes < 1 || classes > kMaxClasses) {
    return {Claim::none,
            fmt::format("{} channels are not {} and a score for each class", channels, others)};
  }
  if (names_ > 0 && classes != names_) {
    return {Claim::none,
            fmt::format("its output has {} classes, but {} are named", classes, names_)};
  }
  if (wanted.scores == Scores::probabilities && !are_scores(*planes, wanted.before, classes)) {
    return {Claim::none, "what would be scores of classes is not between 0 and 1"};
  }
  const std::optional<Grid> grid = grid_of(anchors, input_);
  std::string why;
  if (grid) {
    why = fmt::format("its {} anchors are the cells over strides of {} of an input of {}x{}",
                      anchors, strides_of(*grid), input_.width, input_.height);
  }
  if (names_ > 0) {
    why += fmt::format("{}its {} channels have a score for each of the {} classes named",
                       why.empty() ? "" : ", and ", channels, names_);
  }
  // Other values than boxes and scores are told by the task alone.
  const bool is_told = wanted.after == 0 || says_task(wanted.task) || has_prototypes();
  if (why.empty() || !is_told) {
    return {
        Claim::possible,
        fmt::format("with {} class(es){}{}", classes,
                    why.empty() ? ", though its anchors are no grid's cells" : ", since ", why)};
  }
  const bool is_proven = grid.has_value() && says_picked() != true;
  return {is_proven ? Claim::certain : Claim::likely, why};
}

Reading Evidence::read_rows(std::int64_t width, std::string_view task) const {
  const Output* rows = of_rank(3);
  if (rows == nullptr || rows->shape[2] != width || rows->shape[0] != batch_) return {};
  const std::optional<bool> told = says_picked();
  if (told == false) {
    return {Claim::none, "its metadata say that it does not pick its boxes itself (end2end)"};
  }
  if (told != true && rows->shape[1] > kMostBoxes) {
    return {Claim::none, fmt::format("{} boxes are more than a model picks", rows->shape[1])};
  }
  if (says_detr()) return {Claim::none, "its metadata say that it is a DETR"};
  const Column classes = look_at_classes(*rows);
  if (classes == Column::broken) {
    return {Claim::none, "the sixth of its values is not the number of a class"};
  }
  if (told == true) {
    return {Claim::certain, fmt::format("its metadata say that it picks its boxes itself (end2end, "
                                        "or nms in args), and each has {} values",
                                        width)};
  }
  if (width != kRow && !says_task(task) && !has_prototypes()) {
    return {Claim::possible, fmt::format("its {} rows have {} values", rows->shape[1], width)};
  }
  if (classes == Column::whole) {
    return {Claim::certain,
            fmt::format("its {} rows have {} values, of which the fifth is a score and the sixth "
                        "the number of a class",
                        rows->shape[1], width)};
  }
  return {Claim::likely,
          fmt::format("it has {} rows of {} values, with nothing in them for an empty "
                      "picture, as a model that picks its boxes itself",
                      rows->shape[1], width)};
}

const Evidence::Output& Evidence::need(const Output* output, std::string_view what) const {
  if (output == nullptr) refuse(fmt::format("it has no output {}", what));
  if (std::any_of(output->shape.begin(), output->shape.end(), [](auto it) { return it < 1; })) {
    refuse(fmt::format("its output {} is empty", output->name));
  }
  return *output;
}

std::size_t Evidence::class_count(std::int64_t count, std::string_view what) const {
  if (count < 1 || count > kMaxClasses) refuse(what);
  return static_cast<std::size_t>(count);
}

void Evidence::fit_planes(HeadPlan& plan, std::int64_t before, std::int64_t after) const {
  const Output& planes = need(of_rank(3), "float32 [batch,channels,anchors]");
  const std::int64_t channels = planes.shape[1];
  if (planes.shape[2] < channels) {
    refuse(fmt::format("its output {} has fewer anchors than channels; the two may be swapped",
                       planes.name));
  }
  plan.outputs = {planes.index};
  plan.classes = class_count(
      channels - before - after,
      fmt::format("{} channels are not {} and a score for each class", channels, before + after));
  plan.anchors = static_cast<std::size_t>(planes.shape[2]);
  if (const auto grid = grid_of(planes.shape[2], input_)) plan.stride = grid->last_stride;
}

void Evidence::fit_keypoints(HeadPlan& plan) const {
  if (!keypoints_) {
    refuse("its metadata have no kpt_shape; say `keypoints: [how many, values each]` beside it");
  }
  plan.keypoints = *keypoints_;
}

void Evidence::add_prototypes(HeadPlan& plan) const {
  const Output& maps = need(of_rank(4), "float32 [batch,32,height,width]");
  if (maps.shape[1] != kMasks) refuse("its prototype masks are not 32");
  plan.outputs.push_back(maps.index);
}

void Evidence::check_grid(std::size_t anchors) const {
  if (anchors != grid_cells(input_)) {
    refuse(
        fmt::format("an input of {}x{} has {} cells over strides of 8, 16 and 32, its output "
                    "has {}",
                    input_.width, input_.height, grid_cells(input_), anchors));
  }
}

void Evidence::fit_rows(HeadPlan& plan, std::int64_t before) const {
  const Output& rows = need(of_rank(3), "float32 [batch,boxes,values]");
  plan.outputs = {rows.index};
  plan.classes = class_count(
      rows.shape[2] - before,
      fmt::format("{} values are not {} and a score for each class", rows.shape[2], before));
  plan.anchors = static_cast<std::size_t>(rows.shape[1]);
  plan.is_decoded = spec_.is_decoded.value_or(false);
}

// Rows that the model picked, with the number of a class each.
void Evidence::fit_picked(HeadPlan& plan, std::int64_t width) const {
  const Output* rows = of_rank(3);  // empty where nothing was found
  if (rows == nullptr || rows->shape[2] != width) {
    refuse(fmt::format("it has no output [batch,boxes,{}]", width));
  }
  plan.outputs = {rows->index};
  plan.anchors = static_cast<std::size_t>(rows->shape[1]);
  leave_classes_open(plan);
}

void Evidence::leave_classes_open(HeadPlan& plan) const {
  plan.counts_classes = false;
  plan.classes = static_cast<std::size_t>(names_ > 0 ? names_ : kMaxClasses);
}

}  // namespace andon::vision
