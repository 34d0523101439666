// SPDX-License-Identifier: Apache-2.0
// What an operator can change while andon-inspect runs: the component's configuration. Pure; a
// plain value.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.hpp"
#include "base/json.hpp"

namespace andon::inspect {

struct Settings {
  base::fs::path image_directory;  // the directory that is watched
  std::string topic;               // where results are published
  double confidence = 0.25;        // detections with a score above it are published
  double iou = 0.7;  // of two boxes of a class that overlap more, the better one is kept

  // A picture whose best score lies in [low, high] is uploaded for labelling.
  double doubt_low = 0.25;
  double doubt_high = 0.5;
  std::string upload_bucket = "andon-uploads";
  std::int64_t uploads_per_hour = 60;
  std::int64_t upload_disk_bytes = 256 << 20;  // of pictures that wait; the oldest are dropped

  bool operator==(const Settings&) const = default;
};

// Reads the configuration over `defaults`; an absent, null or empty member keeps its default:
//   {"imageDirectory": "/dir", "topic": "a/b", "confidence": 0.25, "iou": 0.7,
//    "doubt": {"low": 0.25, "high": 0.5},
//    "upload": {"bucket": "andon-uploads", "maxPerHour": 60, "maxBytesOnDisk": 268435456}}
// Numbers may be given as text, as recipe variables leave them. Members it does not know are left
// to others. Throws invalid_argument naming the member.
[[nodiscard]] Settings read_settings(const base::json::value& configuration,
                                     const Settings& defaults);

}  // namespace andon::inspect
