// SPDX-License-Identifier: Apache-2.0
// Between andon-inspect and andon-inspect-gstreamer.so, which is opened with dlopen only where a
// video or a camera is wanted: a device without GStreamer runs all the rest. Plain C types; the
// version is checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inspect/modules/module_text.hpp"

namespace andon::inspect::gstreamer_abi {

inline constexpr int kVersion = 1;
inline constexpr const char* kEntry = "andon_inspect_gstreamer";

enum class Kind : int { file, rtsp, v4l2 };

struct Stream;

// RGB, valid until the next call on its stream.
struct Picture {
  const std::uint8_t* rgb;
  std::size_t row_bytes;
  int width;
  int height;
};

enum class Next : int { picture, timeout, end, error };

using Text = ModuleText;

struct Functions {
  int version;
  // Starts to play; null and a reason where that is impossible at once.
  Stream* (*open)(Kind kind, const char* location, Text reason);
  Next (*next)(Stream*, int timeout_ms, Picture*, Text reason);
  void (*close)(Stream*);
};

}  // namespace andon::inspect::gstreamer_abi
