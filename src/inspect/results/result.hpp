// SPDX-License-Identifier: Apache-2.0
// The result message: one JSON object for each picture, the format that everything downstream
// reads. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "inspect/verdict/verdict.hpp"
#include "vision/detect/detector.hpp"
#include "vision/findings/anomaly_map.hpp"

namespace andon::inspect {

// Of the anomaly map in a message: with it the message stays below the 128 KiB that AWS IoT Core
// takes.
inline constexpr int kMaxMapSide = 256;

struct ComponentId {
  std::string name;
  std::string version;
};

// Who looked, with what: the same in every message of a run.
struct Identity {
  std::string thing;
  ComponentId component;
  ComponentId model;
  std::string model_sha256;
};

// The component that an installed artifact belongs to, out of its path:
// <root>/packages/artifacts[-unarchived]/<component>/<version>/<file>.
[[nodiscard]] std::optional<ComponentId> component_of_artifact(const base::fs::path& path);

// Labels belong to the model.
struct LabelledDetection {
  vision::Detection detection;
  std::string_view label;
};

struct LabelledScore {
  vision::ClassScore score;
  std::string_view label;
};

struct AnomalyFinding {
  double score = 0;
  std::optional<vision::GreyMap> map;  // where it is asked for and the model has one
};

// Of the part on the line whose picture it is.
struct PartNote {
  std::string id;  // empty: it was not triggered
  base::Timestamp triggered_at{};
  std::optional<Verdict> too_late;  // the model's, where the line was told the fail-safe one before
};

struct Inspection {
  base::Timestamp timestamp;
  std::string image_name;
  vision::Size size;    // 0x0 where the picture could not be decoded
  std::string warning;  // what is wrong with a picture that was taken all the same; mostly nothing
  std::vector<LabelledDetection> detections;
  std::vector<vision::Mask> masks;          // one a detection, where the model segments
  std::vector<vision::RotatedBox> rotated;  // one a detection, where its boxes are turned
  std::vector<vision::Keypoint> keypoints;  // as many of each detection, where it finds some
  std::vector<LabelledScore> classes;       // best first, where the model classifies
  std::optional<AnomalyFinding> anomaly;    // where the model looks for what is unusual
  std::optional<Verdict> verdict;           // where there are rules for one: what the line is told
  std::optional<PartNote> part;             // where the line is told, or triggers
  std::optional<double> best_score;  // also of what is below the threshold; not in the message
  // Of the network's part, in a batch: an equal share of the run.
  vision::Milliseconds decode{};
  vision::Milliseconds preprocess{};
  vision::Milliseconds inference{};
  vision::Milliseconds postprocess{};
  std::size_t batch = 1;  // pictures in that run
  // Why there was nothing to look at; such a picture gets its message too, so that the line never
  // waits for a result that will not come.
  std::optional<base::Error> error;

  [[nodiscard]] std::span<const vision::Keypoint> keypoints_of(std::size_t detection) const;

  // For the next picture: as new but for the masks, which are overwritten. Keeps its buffers.
  void clear();
};

// One line of JSON without the newline. Boxes are rounded to 0.01 pixels, confidences to 0.0001,
// times to a microsecond; an anomaly map is at most kMaxMapSide cells a side, about 90 kB. Members
// for what a model does not tell are absent. A name that is not UTF-8 has its other bytes replaced
// by U+FFFD.
[[nodiscard]] std::string to_message(const Inspection& inspection, const Identity& identity);

// The message with "outputs": what became of each (outcomes_json), which is known after it.
[[nodiscard]] std::string with_outputs(std::string message, const base::json::array& outcomes);

}  // namespace andon::inspect
