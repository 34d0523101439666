// SPDX-License-Identifier: Apache-2.0
#include "inspect/open_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.hpp"
#include "inspect/camera_source.hpp"
#include "inspect/directory_source.hpp"
#include "inspect/list_source.hpp"
#include "inspect/video_source.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

std::string extension_of(const std::string& source) {
  std::string extension = fs::path(source).extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

bool is_video_name(const std::string& source) {
  constexpr std::array<std::string_view, 11> kExtensions{
      ".mp4", ".m4v", ".mkv", ".avi", ".mov", ".ts", ".mpg", ".mpeg", ".webm", ".ogv", ".mjpeg"};
  return std::ranges::find(kExtensions, extension_of(source)) != kExtensions.end();
}

bool is_image(const std::string& source) {
  return is_picture_name(fs::path(source).filename().string()) && !fs::is_directory(source);
}

}  // namespace

SourceType type_of(const std::vector<std::string>& sources) {
  if (sources.empty()) throw Error(ErrorCode::invalid_argument, "no --source is given");
  if (std::ranges::all_of(sources, is_image)) return SourceType::images;
  if (sources.size() > 1) {
    const auto other = std::ranges::find_if_not(sources, is_image);
    throw Error(ErrorCode::invalid_argument,
                fmt::format("several --source must all be images, and {} is not; start a second "
                            "andon-inspect for it, or write the images into a list",
                            *other));
  }
  const std::string& source = sources.front();
  if (source.starts_with("rtsp://") || source.starts_with("rtsps://")) return SourceType::rtsp;
  if (source.find("://") != std::string::npos) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{} is no source; of addresses only rtsp:// and rtsps:// are understood",
                    source));
  }
  if (source.starts_with("/dev/video")) return SourceType::v4l2;
  if (fs::is_directory(source)) return SourceType::directory;
  if (is_video_name(source)) return SourceType::video;
  if (extension_of(source) == ".txt") return SourceType::list;
  return SourceType::directory;
}

std::unique_ptr<Source> open_source(const std::vector<std::string>& sources,
                                    const base::Clock& clock) {
  switch (type_of(sources)) {
    case SourceType::directory:
      return std::make_unique<DirectorySource>(sources.front());
    case SourceType::list:
      return std::make_unique<ListSource>(read_list(sources.front()));
    case SourceType::images:
      return std::make_unique<ListSource>(std::vector<fs::path>(sources.begin(), sources.end()));
    case SourceType::video:
      return std::make_unique<VideoSource>(sources.front());
    case SourceType::rtsp:
      return std::make_unique<RtspSource>(sources.front(), clock);
    case SourceType::v4l2:
      return std::make_unique<V4l2Source>(sources.front(), clock);
  }
  throw Error(ErrorCode::internal, "an unknown type of source");
}

}  // namespace andon::inspect
