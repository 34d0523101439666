// SPDX-License-Identifier: Apache-2.0
#include "inspect/video_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <vector>

#include "base/error.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace abi = gstreamer_abi;
namespace fs = base::fs;

namespace {

constexpr const char* kModule = "andon-inspect-gstreamer.so";

std::vector<fs::path> places() {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  return {folder / kModule, folder / "../lib/andon" / kModule, kModule};
}

// A reason out of the module.
class Reason {
 public:
  [[nodiscard]] abi::Text text() { return {buffer_.data(), buffer_.size()}; }
  [[nodiscard]] std::string string() const { return buffer_.data(); }

 private:
  std::array<char, 512> buffer_{};
};

}  // namespace

VideoLibrary::VideoLibrary() {
  std::string tried;
  for (const fs::path& place : places()) {
    // Never closed: GStreamer does not stand being unloaded.
    void* module = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
      const char* why = dlerror();
      tried += fmt::format("\n  {}", why == nullptr ? place.string() : why);
      continue;
    }
    void* symbol = dlsym(module, abi::kEntry);
    if (symbol == nullptr) {
      tried += fmt::format("\n  {} is not the module of andon-inspect", place.string());
      continue;
    }
    const auto entry = reinterpret_cast<abi::Entry>(symbol);
    functions_ = entry();
    if (functions_->version == abi::kVersion) return;
    tried += fmt::format("\n  {} has version {}, not {}", place.string(), functions_->version,
                         abi::kVersion);
  }
  throw Error(ErrorCode::failed_precondition,
              fmt::format("videos and cameras need {} beside this program, and the Debian packages "
                          "libgstreamer-plugins-base1.0-0, gstreamer1.0-plugins-base and "
                          "gstreamer1.0-plugins-good (H.264: gstreamer1.0-libav or "
                          "gstreamer1.0-plugins-bad). Tried:{}",
                          kModule, tried));
}

VideoStream::VideoStream(const VideoLibrary& library, abi::Kind kind, const std::string& location)
    : functions_(library.functions()), location_(without_secrets(location)) {
  Reason reason;
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
  Reason reason;
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
