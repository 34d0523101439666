// SPDX-License-Identifier: Apache-2.0
// One picture on its way through the pipeline: a file that was opened, or pixels from a video or a
// camera. Plain value; belongs to one thread at a time. Its buffers are used again for later ones.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "inspect/journal.hpp"
#include "vision/image.hpp"

namespace andon::inspect {

struct Frame {
  // What it is known by after a restart; nothing for what a live camera saw.
  std::optional<PictureId> id;
  std::string name;                    // as the result names it
  base::UniqueFd file;                 // of a picture that is to be read
  std::string bytes;                   // of that file, still encoded
  vision::Image image;                 // of a video or a camera; empty for a file
  std::optional<base::Error> problem;  // why it cannot be looked at

  [[nodiscard]] bool has_pixels() const { return !image.rgb.empty(); }
  // Was it written so short ago that it may still be growing?
  [[nodiscard]] bool is_recent(base::Timestamp now) const;

  static constexpr std::chrono::milliseconds kSettleTime{2'000};
};

// Does a file of this name count as a picture: those that vision decodes, and a camera's raw frames
// (.raw, not hidden), whose format must be said (--raw-format)?
[[nodiscard]] bool is_picture_name(std::string_view name);
[[nodiscard]] bool is_raw_name(std::string_view name);

// The file as it is now: what is recorded is what was looked at. Nothing where there is no such
// file, or no regular one. `spare` gives its buffers.
[[nodiscard]] std::optional<Frame> open_picture(const base::fs::path& path, Frame&& spare = {});

// Reads an opened file into frame.bytes, or sets frame.problem. Nothing for what has pixels.
void read_picture(Frame& frame);

}  // namespace andon::inspect
