// SPDX-License-Identifier: Apache-2.0
// The GStreamer module, opened once and kept, and one stream of it. A stream belongs to one thread
// at a time.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/os/file.hpp"
#include "inspect/video/gstreamer_abi.hpp"
#include "inspect/video/picture_stream.hpp"

namespace andon::inspect {

class VideoLibrary {
 public:
  // Looks beside this program, in its ../lib/andon, then on the system's library path. Throws
  // failed_precondition naming what to install.
  VideoLibrary();

  [[nodiscard]] const gstreamer_abi::Functions& functions() const { return functions_; }

 private:
  const gstreamer_abi::Functions& functions_;
};

class VideoStream final : public PictureStream {
 public:
  // Throws unavailable with GStreamer's reason.
  VideoStream(const VideoLibrary& library, gstreamer_abi::Kind kind, const std::string& location);
  ~VideoStream() override;

  [[nodiscard]] Next next(std::chrono::milliseconds timeout, vision::Image& into) override;

 private:
  const gstreamer_abi::Functions& functions_;
  std::string location_;
  gstreamer_abi::Stream* stream_;
};

// Without the user and password that an rtsp:// address may have: for logs and results.
[[nodiscard]] std::string without_secrets(const std::string& location);

}  // namespace andon::inspect
