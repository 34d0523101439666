// SPDX-License-Identifier: Apache-2.0
#include "inspect/video/video_library.hpp"

#include <fmt/format.h>

#include <cstring>

#include "base/error/error.hpp"
#include "inspect/modules/module.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace abi = gstreamer_abi;

namespace {

constexpr ModuleName kModule{
    "andon-inspect-gstreamer.so", abi::kEntry, abi::kVersion,
    "videos and cameras need andon-inspect-gstreamer.so beside this program, and the Debian "
    "packages libgstreamer-plugins-base1.0-0, gstreamer1.0-plugins-base and "
    "gstreamer1.0-plugins-good (H.264: gstreamer1.0-libav or gstreamer1.0-plugins-bad)"};

}  // namespace

VideoLibrary::VideoLibrary() : functions_(functions_of<abi::Functions>(kModule)) {}

VideoStream::VideoStream(const VideoLibrary& library, abi::Kind kind, const std::string& location)
    : functions_(library.functions()), location_(without_secrets(location)) {
  ModuleReason reason;
  stream_ = functions_.open(kind, location.c_str(), reason.text());
  if (stream_ == nullptr) {
    throw Error(ErrorCode::unavailable,
                fmt::format("cannot open {}: {}", location_, reason.string()));
  }
}

VideoStream::~VideoStream() {
  functions_.close(stream_);
}

VideoStream::Next VideoStream::next(std::chrono::milliseconds timeout, vision::Image& into) {
  abi::Picture picture{};
  ModuleReason reason;
  switch (functions_.next(stream_, static_cast<int>(timeout.count()), &picture, reason.text())) {
    case abi::Next::timeout:
      return Next::timeout;
    case abi::Next::end:
      return Next::end;
    case abi::Next::error:
      throw Error(ErrorCode::unavailable, fmt::format("{}: {}", location_, reason.string()));
    case abi::Next::picture:
      break;
  }
  into.size = {picture.width, picture.height};
  into.rgb.resize(into.row_bytes() * static_cast<std::size_t>(picture.height));
  for (int y = 0; y < picture.height; ++y) {
    std::memcpy(into.row(y), picture.rgb + static_cast<std::size_t>(y) * picture.row_bytes,
                into.row_bytes());
  }
  return Next::picture;
}

std::string without_secrets(const std::string& location) {
  const std::size_t scheme = location.find("://");
  if (scheme == std::string::npos) return location;
  const std::size_t start = scheme + 3;
  const std::size_t at = location.find('@', start);
  const std::size_t slash = location.find('/', start);
  if (at == std::string::npos || (slash != std::string::npos && at > slash)) return location;
  return location.substr(0, start) + location.substr(at + 1);
}

}  // namespace andon::inspect
