// SPDX-License-Identifier: Apache-2.0
// For tests: videos of GStreamer's test pattern.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "base/os/process.hpp"

namespace andon::inspect {

// What stands between raw pictures and the file.
using Encoding = std::vector<std::string>;
inline const Encoding kMotionJpegInAvi{"jpegenc", "!", "avimux"};
// With pictures that are stored after those they are shown before.
inline const Encoding kH264InMp4{"x264enc",   "bframes=2", "key-int-max=10", "!",
                                 "h264parse", "!",         "mp4mux"};
inline const Encoding kH265InMp4{"x265enc", "key-int-max=10", "!", "h265parse", "!", "mp4mux"};

// 64x48, 30 frames a second.
inline void make_video(const base::fs::path& path, int frames,
                       const Encoding& encoding = kMotionJpegInAvi) {
  base::ProcessOptions options;
  options.arguments = {"gst-launch-1.0",
                       "-q",
                       "videotestsrc",
                       "num-buffers=" + std::to_string(frames),
                       "!",
                       "video/x-raw,format=I420,width=64,height=48,framerate=30/1",
                       "!"};
  options.arguments.insert(options.arguments.end(), encoding.begin(), encoding.end());
  options.arguments.insert(options.arguments.end(), {"!", "filesink", "location=" + path.string()});
  ASSERT_TRUE(base::Process(options).wait(std::chrono::seconds{30})->ok());
}

}  // namespace andon::inspect
