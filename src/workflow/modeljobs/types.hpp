// SPDX-License-Identifier: Apache-2.0
// Processing and training jobs with SageMaker's contract, run as commands on this machine: what is
// asked for and kept of them, the command that stands for an image, the directory /opt/ml and its
// variables, what goes in from objects and comes out as objects, and who drives them
// (model_jobs.hpp). This header: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::workflow {

namespace json = base::json;

enum class ModelJobKind : std::uint8_t { processing, training };
[[nodiscard]] constexpr std::string_view to_string(ModelJobKind kind) {
  return kind == ModelJobKind::training ? "training" : "processing";
}

enum class ModelJobStatus : std::uint8_t { in_progress, completed, failed, stopping, stopped };
[[nodiscard]] std::string_view to_string(ModelJobStatus status);  // "InProgress"
[[nodiscard]] std::optional<ModelJobStatus> parse_model_job_status(std::string_view text);
[[nodiscard]] constexpr bool is_over(ModelJobStatus status) {
  return status != ModelJobStatus::in_progress && status != ModelJobStatus::stopping;
}

// A step of SecondaryStatus.
struct Transition {
  std::string status;  // "Starting", "Downloading", "Training", "Uploading", "Completed" ...
  base::Timestamp started;
  std::optional<base::Timestamp> ended;
  std::string message;
};

struct FinalMetric {
  std::string name;
  double value = 0;
};

struct ModelJob {
  ModelJobKind kind = ModelJobKind::processing;
  std::string name;
  std::string arn;
  std::string id;        // of the job on this machine
  json::object request;  // as CreateTrainingJob or CreateProcessingJob has it
  ModelJobStatus status = ModelJobStatus::in_progress;
  std::vector<Transition> transitions;
  std::vector<FinalMetric> metrics;
  std::string failure_reason;
  std::string exit_message;
  base::Timestamp created;
  base::Timestamp modified;
  std::optional<base::Timestamp> started;
  std::optional<base::Timestamp> ended;

  [[nodiscard]] std::string role() const;
  [[nodiscard]] std::string secondary() const {
    return transitions.empty() ? std::string("Starting") : transitions.back().status;
  }
};

// "s3://bucket/key/..."
struct S3Place {
  std::string bucket;
  std::string key;  // without a '/' in front; may be empty
};
// Throws base::Error(invalid_argument) that names `what`.
[[nodiscard]] S3Place parse_s3_uri(std::string_view uri, const std::string& what);

// Where a training job's model is, or will be.
[[nodiscard]] std::string model_artifacts(const ModelJob& job);

}  // namespace andon::workflow
