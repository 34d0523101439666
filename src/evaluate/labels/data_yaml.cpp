// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/data_yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "recipe/reader/json_or_yaml.hpp"
#include "vision/image/picture_files.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;
namespace json = base::json;

constexpr recipe::DocumentLimits kLimits{
    .max_bytes = 1U << 20U, .max_depth = 32, .max_values = 100'000};
constexpr std::size_t kMostListBytes = 256U << 20U;
constexpr std::int64_t kMostKeypoints = 1'000;
constexpr std::size_t kMostName = 4'096;

std::string name_of(const base::JsonReader& reader, const json::value& value) {
  if (value.is_string() && !value.get_string().empty() && value.get_string().size() <= kMostName) {
    return std::string(value.get_string());
  }
  if (value.is_number()) return base::to_text(value);  // classes called 0, 1, 2
  reader.fail("names", "must hold texts");
}

std::vector<std::string> names(const base::JsonReader& reader) {
  const json::value* value = reader.find("names");
  if (value == nullptr) reader.fail("names", "is missing: the classes, by their numbers");
  std::vector<std::string> result;
  if (value->is_array()) {
    for (const json::value& name : value->get_array()) result.push_back(name_of(reader, name));
  } else if (value->is_object()) {
    std::map<std::size_t, std::string> by_id;
    for (const auto& [key, name] : value->get_object()) {
      const auto id = base::parse_integer<std::size_t>(std::string_view(key));
      if (!id)
        reader.fail("names",
                    fmt::format("has '{}', which is no number of a class", std::string_view(key)));
      by_id.emplace(*id, name_of(reader, name));
    }
    for (auto& [id, name] : by_id) {
      if (id != result.size()) reader.fail("names", "must be 0, 1, 2, ... without gaps");
      result.push_back(std::move(name));
    }
  } else {
    reader.fail("names", "must be a list or an object of numbers");
  }
  if (result.empty() || result.size() > kMostYoloClasses) {
    reader.fail("names", fmt::format("must hold 1 to {} classes", kMostYoloClasses));
  }
  std::vector<std::string> sorted = result;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) reader.fail("names", fmt::format("has '{}' twice", *twice));
  const auto count = reader.optional_integer("nc");
  if (count && *count != static_cast<std::int64_t>(result.size())) {
    reader.fail("nc", fmt::format("is {}, and names has {}", *count, result.size()));
  }
  return result;
}

std::size_t keypoint_values(const base::JsonReader& reader) {
  const json::array* shape = reader.optional_array("kpt_shape");
  if (shape == nullptr) return 0;
  const auto is_count = [](const json::value& value, std::int64_t least, std::int64_t most) {
    return value.is_int64() && value.get_int64() >= least && value.get_int64() <= most;
  };
  if (shape->size() != 2 || !is_count((*shape)[0], 1, kMostKeypoints) ||
      !is_count((*shape)[1], 2, 3)) {
    reader.fail("kpt_shape", "must be [keypoints, 2 or 3]");
  }
  return static_cast<std::size_t>((*shape)[0].get_int64() * (*shape)[1].get_int64());
}

std::vector<std::string> pictures(const base::JsonReader& reader, std::string_view split) {
  const json::value* value = reader.find(split);
  if (value == nullptr) {
    std::string there;
    for (const std::string_view other : kSplits) {
      if (reader.has(other)) there += fmt::format("{}{}", there.empty() ? "" : ", ", other);
    }
    reader.fail(split, fmt::format("is missing; --split may be: {}", there.empty() ? "-" : there));
  }
  std::vector<std::string> result;
  const auto add = [&](const json::value& place) {
    if (!place.is_string() || place.get_string().empty()) {
      reader.fail(split, "must be a folder, a list of pictures, or several of them");
    }
    result.emplace_back(place.get_string());
  };
  if (value->is_array()) {
    for (const json::value& place : value->get_array()) add(place);
  } else {
    add(*value);
  }
  if (result.empty()) reader.fail(split, "is empty");
  return result;
}

// The root is often where the set was made, not where it lies now, and some exports name folders
// beside it with "../" before them.
fs::path found(const DataYaml& data, const fs::path& file, const std::string& place) {
  const fs::path beside = file.parent_path();
  std::vector<fs::path> places{data.root / place, beside / place};
  if (place.starts_with("../")) {
    places.push_back(data.root / place.substr(3));
    places.push_back(beside / place.substr(3));
  }
  const auto there = std::ranges::find_if(places, [](const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
  });
  if (there != places.end()) return there->lexically_normal();
  throw Error(ErrorCode::not_found,
              fmt::format("{} names '{}', which is not there: {} does not exist", file.string(),
                          place, places.front().lexically_normal().string()));
}

std::vector<fs::path> listed(const fs::path& list) {
  const std::string text = base::read_file(list, kMostListBytes);
  std::vector<fs::path> files;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = base::trim(base::take_part(rest, '\n'), " \t\r");
    if (line.empty()) continue;
    files.push_back((list.parent_path() / fs::path(line)).lexically_normal());
    std::error_code ignored;
    if (!fs::is_regular_file(files.back(), ignored)) {
      throw Error(ErrorCode::not_found, fmt::format("{} names {}, which is not a file",
                                                    list.string(), files.back().string()));
    }
  }
  if (files.empty()) {
    throw Error(ErrorCode::not_found, fmt::format("{} names no pictures", list.string()));
  }
  return files;
}

}  // namespace

DataYaml parse_data_yaml(std::string_view text, const fs::path& file, std::string_view split) {
  const json::value document = recipe::parse_json_or_yaml(text, file.string(), kLimits);
  if (!document.is_object()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} does not describe a data set: it has no members", file.string()));
  }
  DataYaml data;
  try {
    const base::JsonReader reader(document, "");
    data.root = file.parent_path() / reader.optional_string("path").value_or("");
    data.names = names(reader);
    data.keypoint_values = keypoint_values(reader);
    if (!split.empty()) data.pictures = pictures(reader, split);
  } catch (Error& error) {
    error.with_context(file.string());
    throw;
  }
  return data;
}

DataYaml read_data_yaml(const fs::path& file, std::string_view split) {
  return parse_data_yaml(base::read_file(file, kLimits.max_bytes), file, split);
}

std::vector<fs::path> pictures_of(const DataYaml& data, const fs::path& file) {
  std::vector<fs::path> all;
  for (const std::string& place : data.pictures) {
    const fs::path path = found(data, file, place);
    const std::vector<fs::path> some = fs::is_directory(path)
                                           ? vision::picture_files(path, vision::Folders::all_below)
                                           : listed(path);
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

fs::path yolo_labels_of(const fs::path& picture) {
  std::string text = picture.string();
  const std::string images = "/images/";
  if (const std::size_t at = text.rfind(images); at != std::string::npos) {
    text.replace(at, images.size(), "/labels/");
  } else if (text.starts_with("images/")) {
    text.replace(0, 7, "labels/");
  }
  return fs::path(text).replace_extension(".txt");
}

}  // namespace andon::evaluate
