// SPDX-License-Identifier: Apache-2.0
#include "vision/model_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::array<std::pair<HeadKind, std::string_view>, 12> kHeads{{
    {HeadKind::yolov8, "yolov8"},
    {HeadKind::yolov8_dfl, "yolov8_dfl"},
    {HeadKind::yolov8_seg, "yolov8_seg"},
    {HeadKind::yolov5, "yolov5"},
    {HeadKind::yolox, "yolox"},
    {HeadKind::end_to_end, "end_to_end"},
    {HeadKind::end_to_end_seg, "end_to_end_seg"},
    {HeadKind::rtdetr, "rtdetr"},
    {HeadKind::detr, "detr"},
    {HeadKind::detr_logits, "detr_logits"},
    {HeadKind::classifier, "classifier"},
    {HeadKind::anomaly, "anomaly"},
}};
constexpr std::array<std::pair<Fit, std::string_view>, 4> kFits{{
    {Fit::letterbox, "letterbox"},
    {Fit::letterbox_top_left, "letterbox_top_left"},
    {Fit::stretch, "stretch"},
    {Fit::centre_crop, "centre_crop"},
}};
constexpr std::array<std::pair<Preprocessing::Channels, std::string_view>, 2> kChannels{{
    {Preprocessing::Channels::rgb, "rgb"},
    {Preprocessing::Channels::bgr, "bgr"},
}};
constexpr std::array<std::pair<Preprocessing::Resample, std::string_view>, 3> kResamples{{
    {Preprocessing::Resample::opencv, "opencv"},
    {Preprocessing::Resample::bilinear, "bilinear"},
    {Preprocessing::Resample::bicubic, "bicubic"},
}};
constexpr std::array<std::string_view, 11> kMembers{"head",     "labels",  "inputSize", "fit",
                                                    "channels", "divisor", "resample",  "resize",
                                                    "mean",     "std",     "decoded"};

constexpr std::size_t kMaxLabels = 10'000;
constexpr std::int64_t kMaxSide = 16'384;

[[noreturn]] void refuse(std::string_view member, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("model description: {} {}", member, why));
}

// One of the names of an enumeration.
template <typename Value, std::size_t count>
std::optional<Value> choice(const base::JsonReader& reader, std::string_view member,
                            const std::array<std::pair<Value, std::string_view>, count>& names) {
  const auto text = reader.optional_string(member);
  if (!text) return std::nullopt;
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == *text) return value;
    known += known.empty() ? "" : ", ";
    known += name;
  }
  refuse(member, fmt::format("is '{}'; it may be {}", *text, known));
}

std::optional<std::array<float, 3>> three_numbers(const base::JsonReader& reader,
                                                  std::string_view member) {
  const json::array* values = reader.optional_array(member);
  if (values == nullptr) return std::nullopt;
  std::array<float, 3> result{};
  if (values->size() != result.size()) refuse(member, "must be three numbers, a channel each");
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (!(*values)[i].is_number()) refuse(member, "must be three numbers, a channel each");
    result.at(i) = static_cast<float>((*values)[i].to_number<double>());
  }
  return result;
}

std::optional<Size> size(const base::JsonReader& reader, std::string_view member) {
  const json::array* values = reader.optional_array(member);
  if (values == nullptr) return std::nullopt;
  const auto side = [&](std::size_t i) {
    const auto* number = values->size() == 2 ? (*values)[i].if_int64() : nullptr;
    if (number == nullptr || *number < 1 || *number > kMaxSide) {
      refuse(member, fmt::format("must be [width, height], each 1 to {}", kMaxSide));
    }
    return static_cast<int>(*number);
  };
  return Size{side(0), side(1)};
}

std::vector<std::string> labels(const base::JsonReader& reader) {
  std::vector<std::string> result;
  const json::array* values = reader.optional_array("labels");
  if (values == nullptr) return result;
  if (values->size() > kMaxLabels) refuse("labels", "are too many");
  for (const json::value& value : *values) {
    if (!value.is_string()) refuse("labels", "must be a list of texts, one a class");
    result.emplace_back(value.get_string());
  }
  return result;
}

}  // namespace

std::string_view to_string(HeadKind kind) {
  return kHeads.at(static_cast<std::size_t>(kind)).second;
}

std::optional<HeadKind> head_kind(std::string_view name) {
  for (const auto& [kind, its_name] : kHeads) {
    if (its_name == name) return kind;
  }
  return std::nullopt;
}

std::string_view task_of(HeadKind kind) {
  switch (kind) {
    case HeadKind::yolov8_seg:
    case HeadKind::end_to_end_seg:
      return "segment";
    case HeadKind::classifier:
      return "classify";
    case HeadKind::anomaly:
      return "anomaly";
    default:
      return "detect";
  }
}

ModelSpec parse_model_spec(const json::value& value) {
  const base::JsonReader reader(value, "model description");
  for (const auto& member : reader.object()) {
    if (std::find(kMembers.begin(), kMembers.end(), std::string_view(member.key())) ==
        kMembers.end()) {
      refuse(member.key(),
             "is not known; known are head, labels, inputSize, fit, channels, divisor, "
             "resample, resize, mean, std, decoded");
    }
  }
  ModelSpec spec;
  spec.head = choice(reader, "head", kHeads);
  spec.labels = labels(reader);
  spec.input_size = size(reader, "inputSize");
  spec.fit = choice(reader, "fit", kFits);
  spec.channels = choice(reader, "channels", kChannels);
  spec.resample = choice(reader, "resample", kResamples);
  if (const auto resize = reader.optional_number("resize")) {
    if (!(*resize >= 1 && *resize <= kMaxSide)) {
      refuse("resize", fmt::format("must be 1 to {}", kMaxSide));
    }
    spec.resize = static_cast<int>(*resize);
  }
  if (const auto divisor = reader.optional_number("divisor")) {
    if (!(*divisor > 0)) refuse("divisor", "must be more than 0");
    spec.divisor = static_cast<float>(*divisor);
  }
  spec.mean = three_numbers(reader, "mean");
  spec.deviation = three_numbers(reader, "std");
  for (const float deviation : spec.deviation.value_or(std::array<float, 3>{1, 1, 1})) {
    if (!(deviation > 0)) refuse("std", "must be more than 0");
  }
  spec.is_decoded = reader.optional_bool("decoded");
  return spec;
}

}  // namespace andon::vision
