// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/model_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

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

std::optional<KeypointShape> keypoints(const base::JsonReader& reader) {
  const json::array* values = reader.optional_array("keypoints");
  if (values == nullptr) return std::nullopt;
  const auto number = [&](std::size_t i, std::int64_t lowest, std::int64_t highest) {
    const auto* value = values->size() == 2 ? (*values)[i].if_int64() : nullptr;
    if (value == nullptr || *value < lowest || *value > highest) {
      refuse("keypoints",
             fmt::format("must be [how many, values each]: 1 to {}, and 2 or 3", kMaxKeypoints));
    }
    return static_cast<std::size_t>(*value);
  };
  return KeypointShape{number(0, 1, kMaxKeypoints), number(1, 2, 3)};
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

template <typename Value, std::size_t count>
std::string_view name_of(Value value,
                         const std::array<std::pair<Value, std::string_view>, count>& names) {
  const auto found = std::ranges::find(names, value, &std::pair<Value, std::string_view>::first);
  return found == names.end() ? std::string_view() : found->second;
}

}  // namespace

std::string to_yaml(const ModelSpec& spec) {
  std::string text;
  // Values of JSON are values of YAML.
  const auto add = [&](std::string_view member, const auto& value) {
    text += fmt::format("{}: {}\n", member, base::to_text(json::value(value)));
  };
  const auto add_number = [&](std::string_view member, float value) {
    text += fmt::format("{}: {}\n", member, value);
  };
  if (spec.head) add("head", to_string(*spec.head));
  if (!spec.labels.empty()) add("labels", json::array(spec.labels.begin(), spec.labels.end()));
  if (spec.input_size) {
    add("inputSize", json::array{spec.input_size->width, spec.input_size->height});
  }
  if (spec.fit) add("fit", name_of(*spec.fit, kFits));
  if (spec.channels) add("channels", name_of(*spec.channels, kChannels));
  if (spec.divisor) add_number("divisor", *spec.divisor);
  if (spec.resample) add("resample", name_of(*spec.resample, kResamples));
  if (spec.resize) add("resize", *spec.resize);
  const auto add_planes = [&](std::string_view member, const std::array<float, 3>& values) {
    text += fmt::format("{}: [{}, {}, {}]\n", member, values[0], values[1], values[2]);
  };
  if (spec.mean) add_planes("mean", *spec.mean);
  if (spec.deviation) add_planes("std", *spec.deviation);
  if (spec.is_decoded) add("decoded", *spec.is_decoded);
  if (spec.keypoints) add("keypoints", json::array{spec.keypoints->count, spec.keypoints->values});
  return text;
}

Preprocessing preprocessing_as_said(Preprocessing usual, const ModelSpec& spec, Size input) {
  Preprocessing result = usual;
  if (spec.fit) result.fit = *spec.fit;
  if (spec.channels) result.channels = *spec.channels;
  if (spec.divisor) result.divisor = *spec.divisor;
  if (spec.resample) result.resample = *spec.resample;
  if (spec.resize) {
    if (*spec.resize < std::min(input.width, input.height)) {
      refuse("resize", fmt::format("is {}, less than the model's input of {}x{}", *spec.resize,
                                   input.width, input.height));
    }
    result.resize = *spec.resize;
  }
  if (spec.mean) result.mean = *spec.mean;
  if (spec.deviation) result.deviation = *spec.deviation;
  return result;
}

ModelSpec parse_model_spec(const json::value& value) {
  const base::JsonReader reader(value, "model description");
  reader.allow_only({"head", "labels", "inputSize", "fit", "channels", "divisor", "resample",
                     "resize", "mean", "std", "decoded", "keypoints"});
  ModelSpec spec;
  if (const auto name = reader.optional_string("head")) {
    spec.head = head_kind(*name);
    if (!spec.head) refuse("head", fmt::format("is '{}'; it may be {}", *name, head_names()));
  }
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
  spec.keypoints = keypoints(reader);
  return spec;
}

}  // namespace andon::vision
