// SPDX-License-Identifier: Apache-2.0
// What an operator can change while andon-inspect runs: the component's configuration. Pure; a
// plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "base/os/file.hpp"
#include "inspect/outputs/output_settings.hpp"
#include "inspect/trigger/trigger_settings.hpp"
#include "inspect/uploads/upload_rules.hpp"
#include "inspect/verdict/verdict.hpp"
#include "vision/draw/annotate.hpp"

namespace andon::inspect {

// Of a model that looks for what is unusual.
struct AnomalySettings {
  int map_side = 0;        // of the map in the message, at most so many cells a side; 0: none
  vision::HeatScale heat;  // how it is drawn
  bool operator==(const AnomalySettings&) const = default;
};

struct Settings {
  // Where pictures come from: a directory that is watched, files, a video, a camera
  // (docs/inspect.md)
  std::vector<std::string> sources;
  bool is_recursive = false;  // of a directory all below it, too
  base::fs::path model;       // the ONNX file
  std::string topic;          // where results are published
  double confidence = 0.25;   // detections with a score above it are published
  double iou = 0.7;           // of two boxes of a class that overlap more, the better one is kept

  AnomalySettings anomaly;
  std::optional<VerdictRules> verdict;  // none: a result has no verdict

  std::vector<OutputSettings> outputs;     // by which the line is told
  std::optional<TriggerSettings> trigger;  // none: each picture is a part

  UploadRules uploads;  // which pictures are uploaded for labelling
  std::string upload_bucket = "andon-uploads";
  std::int64_t uploads_per_hour = 60;
  std::int64_t upload_disk_bytes = 256 << 20;  // of pictures that wait; the oldest are dropped

  bool operator==(const Settings&) const = default;
};

// Reads the configuration over `defaults`; an absent, null or empty member keeps its default:
//   {"imageDirectory": "/dir", "source": "rtsp://...", "recursive": false, "model": "/file.onnx",
//   "topic": "a/b",
//    "confidence": 0.25, "iou": 0.7, "anomaly": {"mapSide": 0, "low": null, "high": null}, "doubt":
//    {"low": 0.25, "high": 0.5, "below": 0, "sample": 0}, "upload": {"bucket": "andon-uploads",
//    "maxPerHour": 60, "maxBytesOnDisk": 268435456}, "verdict": (verdict/verdict.hpp), "outputs":
//    (outputs/output_settings.hpp), "trigger": (trigger/trigger_settings.hpp)}
// "source" goes before "imageDirectory", its older name.
// Numbers may be given as text, as recipe variables leave them. Members it does not know are left
// to others. Throws invalid_argument naming the member.
[[nodiscard]] Settings read_settings(const base::json::value& configuration,
                                     const Settings& defaults);

}  // namespace andon::inspect
