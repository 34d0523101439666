// SPDX-License-Identifier: Apache-2.0
// One picture at a time: read, decode, detect, journal, publish. Every picture gets exactly one
// result message, also one that cannot be decoded. Belongs to one thread.
#pragma once

#include <functional>
#include <vector>

#include "base/time.hpp"
#include "inspect/journal.hpp"
#include "inspect/result.hpp"
#include "inspect/result_sink.hpp"
#include "inspect/settings.hpp"
#include "inspect/upload_spool.hpp"
#include "vision/decode.hpp"
#include "vision/detector.hpp"

namespace andon::inspect {

// Parts that main owns and that outlive the inspector.
struct InspectorParts {
  vision::Detector& detector;
  Journal& journal;
  std::vector<ResultSink*> sinks;
  const base::Clock& clock;
  UploadSpool* uploads = nullptr;  // none: nothing is uploaded
  base::fs::path annotations;      // empty: nothing is drawn
};

class Inspector {
 public:
  Inspector(InspectorParts parts, Identity identity);

  void set_settings(const Settings& settings);

  enum class Outcome {
    recorded,      // the result is in the journal
    known,         // this version of the file has its result already
    gone,          // there is no such file any more
    not_complete,  // cannot be decoded, but was written just now: look again in kSettleTime
  };
  // Throws where the result could not be recorded: try again.
  Outcome inspect(const base::fs::path& path);

  // Publishes what is recorded and not published. Throws where a sink refuses: try again.
  void publish();

  // Makes the program small while nothing comes.
  void rest() const { parts_.detector.release_unused_memory(); }

  // A file that was written less than this ago may still be growing.
  static constexpr std::chrono::milliseconds kSettleTime{2'000};

 private:
  struct Picture;
  [[nodiscard]] Inspection look_at(const Picture& picture);
  void enqueue_upload(const Picture& picture, const Inspection& inspection,
                      const std::string& message);
  void annotate(const vision::Image& image, const Inspection& inspection) const;

  InspectorParts parts_;
  Identity identity_;
  Settings settings_;
  vision::ImageDecoder decoder_;
};

}  // namespace andon::inspect
