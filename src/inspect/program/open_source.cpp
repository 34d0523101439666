// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/open_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "inspect/source/directory_source.hpp"
#include "inspect/source/list_source.hpp"
#include "inspect/source/triggered_source.hpp"
#include "inspect/video/aravis_address.hpp"
#include "inspect/video/camera_source.hpp"
#include "inspect/video/video_source.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

std::string extension_of(const std::string& source) {
  return base::to_lower(fs::path(source).extension().string());
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

bool is_camera(SourceType type) {
  return type == SourceType::rtsp || type == SourceType::v4l2 || type == SourceType::aravis;
}

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
  if (source.starts_with(kAravisScheme)) {
    (void)read_aravis_address(source);
    return SourceType::aravis;
  }
  if (source.find("://") != std::string::npos) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{} is no source; of addresses only rtsp://, rtsps:// and aravis:// are "
                    "understood",
                    source));
  }
  if (source.starts_with("/dev/video")) return SourceType::v4l2;
  if (fs::is_directory(source)) return SourceType::directory;
  if (is_video_name(source)) return SourceType::video;
  if (extension_of(source) == ".txt") return SourceType::list;
  return SourceType::directory;
}

namespace {

std::unique_ptr<Source> open_files_or_camera(const Settings& settings, const base::Clock& clock,
                                             DirectoryWatcher::Knows knows,
                                             std::vector<fs::path> left_out, PartQueue* parts) {
  const std::vector<std::string>& sources = settings.sources;
  switch (type_of(sources)) {
    case SourceType::directory:
      if (settings.is_recursive) {
        return std::make_unique<DirectorySource>(sources.front(), std::move(knows),
                                                 std::move(left_out));
      }
      return std::make_unique<DirectorySource>(sources.front(), std::move(knows));
    case SourceType::list:
      return std::make_unique<ListSource>(read_list(sources.front()));
    case SourceType::images:
      return std::make_unique<ListSource>(std::vector<fs::path>(sources.begin(), sources.end()));
    case SourceType::video:
      return std::make_unique<VideoSource>(sources.front());
    case SourceType::rtsp:
      return std::make_unique<RtspSource>(sources.front(), clock, CameraTimes{}, parts);
    case SourceType::v4l2:
      return std::make_unique<V4l2Source>(sources.front(), clock, CameraTimes{}, parts);
    case SourceType::aravis:
      return std::make_unique<AravisSource>(sources.front(), clock, CameraTimes{}, parts);
  }
  throw Error(ErrorCode::internal, "an unknown type of source");
}

}  // namespace

std::unique_ptr<Source> open_source(const Settings& settings, const base::Clock& clock,
                                    DirectoryWatcher::Knows knows, std::vector<fs::path> left_out,
                                    PartQueue* parts) {
  if (!settings.trigger || parts == nullptr) {
    return open_files_or_camera(settings, clock, std::move(knows), std::move(left_out), nullptr);
  }
  return std::make_unique<TriggeredSource>(
      open_files_or_camera(settings, clock, std::move(knows), std::move(left_out), parts), *parts);
}

}  // namespace andon::inspect
