// SPDX-License-Identifier: Apache-2.0
// What happens with a frame that was looked at, in order: kept for upload, journalled, published.
// Belongs to one thread.
#pragma once

#include <vector>

#include "base/time/time.hpp"
#include "inspect/journal/journal.hpp"
#include "inspect/look/pipeline.hpp"
#include "inspect/results/metrics.hpp"
#include "inspect/results/result_sink.hpp"
#include "inspect/uploads/upload_spool.hpp"

namespace andon::inspect {

// Parts that main owns and that outlive the recorder.
struct RecorderParts {
  Journal& journal;
  std::vector<ResultSink*> sinks;
  const base::Clock& clock;
  Metrics& metrics;
  std::string thing;
  UploadSpool* uploads = nullptr;  // none: nothing is uploaded
};

class Recorder {
 public:
  explicit Recorder(RecorderParts parts) : parts_(std::move(parts)) {}

  // This version of the file has its result already. Reads a picture that was touched since, whose
  // content decides.
  [[nodiscard]] bool knows(Frame& frame);

  enum class Outcome {
    recorded,      // the result is in the journal
    not_complete,  // cannot be decoded, but was written just now: look again in kSettleTime
  };
  // Throws where the result could not be recorded: try again.
  Outcome record(const Job& job);

  // Publishes what is recorded and not published. Throws where a sink refuses: try again.
  void publish();

 private:
  void enqueue_upload(const Job& job);

  RecorderParts parts_;
};

}  // namespace andon::inspect
