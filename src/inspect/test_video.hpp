// SPDX-License-Identifier: Apache-2.0
// For tests: a video of GStreamer's test pattern.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "base/file.hpp"
#include "base/process.hpp"

namespace andon::inspect {

// Motion JPEG in AVI, 64x48, 30 frames a second.
inline void make_video(const base::fs::path& path, int frames) {
  base::ProcessOptions options;
  options.arguments = {"gst-launch-1.0",
                       "-q",
                       "videotestsrc",
                       "num-buffers=" + std::to_string(frames),
                       "!",
                       "video/x-raw,width=64,height=48,framerate=30/1",
                       "!",
                       "jpegenc",
                       "!",
                       "avimux",
                       "!",
                       "filesink",
                       "location=" + path.string()};
  ASSERT_TRUE(base::Process(options).wait(std::chrono::seconds{30})->ok());
}

}  // namespace andon::inspect
