// SPDX-License-Identifier: Apache-2.0
// What a worker does with its frames: read, decode, detect, draw, write the result messages. Every
// frame gets a message, also one that cannot be decoded; none suffers from the others of a batch.
// Each worker has buffers of its own, so that look() may run for different workers at the same
// time. Once they have grown, nothing is allocated between reading a frame and its detections.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "base/time/time.hpp"
#include "inspect/look/pipeline.hpp"
#include "vision/image/decode.hpp"
#include "vision/image/raw.hpp"

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
  // Tells the line; gives the verdict that it was told. Called by workers, as soon as there is one.
  std::function<Verdict(const std::shared_ptr<Part>& part, const Verdict& verdict,
                        std::string_view image)>
      tell;
  // For who looks on: is this frame shown, and then its picture with what was found. Workers'.
  std::function<bool()> is_shown;
  std::function<void(const vision::Image& image, const Job& job)> show;
};

class Inspector {
 public:
  Inspector(InspectorOptions options, const base::Clock& clock);

  // Fills in what the jobs want to know; they have the same model and settings. Never throws.
  void look(int worker, std::span<Job* const> jobs);
  // The part of it before the messages are written.
  void find(int worker, std::span<Job* const> jobs);

  // Only while no worker is looking.
  void set_workers(int workers);

 private:
  // For one picture of a batch.
  struct PictureDecoder {
    vision::ImageDecoder file;
    vision::Image raw;
  };
  // A picture that was decoded and waits for the network.
  struct DecodedPicture {
    Job* job;
    const vision::Image* image;
  };
  struct WorkerBuffers {
    std::vector<std::unique_ptr<PictureDecoder>> decoders;
    std::vector<DecodedPicture> decoded;
    std::vector<const vision::Image*> images;
    std::vector<Finding> findings;
    Identity identity;  // strings that are assigned keep their memory
    std::minstd_rand random{std::random_device{}()};
  };
  [[nodiscard]] const vision::Image& decode(PictureDecoder& decoder,
                                            const vision::Detector& detector, const Job& job) const;
  void tell(Job& job) const;
  void decode_all(WorkerBuffers& buffers, const vision::Detector& detector,
                  std::span<Job* const> jobs);
  void detect(WorkerBuffers& buffers, vision::Detector& detector,
              std::span<const DecodedPicture> decoded) const;
  void finish(WorkerBuffers& buffers, const vision::Detector& detector,
              const DecodedPicture& picture, const vision::Detector::Result& found,
              std::size_t batch) const;

  InspectorOptions options_;
  const base::Clock& clock_;
  std::vector<std::unique_ptr<WorkerBuffers>> workers_;  // one a worker
};

}  // namespace andon::inspect
