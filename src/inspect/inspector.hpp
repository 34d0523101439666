// SPDX-License-Identifier: Apache-2.0
// What a worker does with a frame: read, decode, detect, draw, write the result message. Every
// frame gets a message, also one that cannot be decoded. Each worker has buffers of its own, so
// that look() may run for different workers at the same time.
#pragma once

#include <optional>
#include <random>
#include <vector>

#include "base/time.hpp"
#include "inspect/pipeline.hpp"
#include "vision/decode.hpp"
#include "vision/raw.hpp"

namespace andon::inspect {

enum class Uploads { off, on };

struct InspectorOptions {
  int workers = 1;
  std::string thing;
  ComponentId component;
  Uploads uploads = Uploads::off;
  base::fs::path annotations;  // empty: nothing is drawn
  // A JPEG much larger than the network's input may be decoded at a part of its size (vision's
  // DecodeHint); never where pictures are drawn.
  enum class Decoding { whole, scaled } decoding = Decoding::whole;
  std::optional<vision::RawFormat> raw_format;  // of files that are called .raw
};

class Inspector {
 public:
  Inspector(InspectorOptions options, const base::Clock& clock);

  // Fills in what `job` wants to know; never throws.
  void look(int worker, Job& job);

 private:
  struct Desk {
    vision::ImageDecoder decoder;
    vision::Image raw;
    std::minstd_rand random{std::random_device{}()};
  };
  [[nodiscard]] const vision::Image& decode(Desk& desk, const vision::Detector& detector,
                                            const Frame& frame) const;
  void inspect(Desk& desk, vision::Detector& detector, Job& job) const;

  InspectorOptions options_;
  const base::Clock& clock_;
  std::vector<std::unique_ptr<Desk>> desks_;  // one a worker
};

}  // namespace andon::inspect
