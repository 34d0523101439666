// SPDX-License-Identifier: Apache-2.0
// One picture on its way through the pipeline: a file that was opened, or pixels from a video or a
// camera. Plain value; belongs to one thread at a time. Its buffers are used again for later ones.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "inspect/journal/picture_id.hpp"
#include "vision/pixels/image.hpp"

namespace andon::inspect {

class Part;

struct Frame {
  // What it is known by after a restart; nothing for what a live camera saw.
  std::optional<PictureId> id;
  std::string name;     // as the result names it
  base::UniqueFd file;  // of a picture that is to be read
  std::string bytes;    // of that file, still encoded
  vision::Image image;  // of a video or a camera; empty for a file
  // When a live camera gave it; nothing for a file, which is there for as long as it likes.
  std::optional<std::chrono::steady_clock::time_point> pictured;
  std::shared_ptr<Part> part;          // that was triggered and took it; or none
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

// The same without opening it: nothing where there is no such file, or no regular one.
struct FoundPicture {
  PictureId id;
  std::int64_t changed_ns = 0;  // by the clock of its file system
};
[[nodiscard]] std::optional<FoundPicture> identify_picture(const base::fs::path& path);

// Reads an opened file into frame.bytes, or sets frame.problem. Nothing for what has pixels. May be
// called again.
void read_picture(Frame& frame);

}  // namespace andon::inspect
