// SPDX-License-Identifier: Apache-2.0
// What andon-inspect counts, and its text for Prometheus (exposition format 0.0.4). Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics/histogram.hpp"
#include "inspect/results/rate_meter.hpp"
#include "inspect/results/result.hpp"

namespace andon::inspect {

enum class Stage { decode, preprocess, inference, postprocess, sink };
inline constexpr std::size_t kStages = 5;

class Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // A frame that got its result: its stages, its detections by class, or its error.
  void count_frame(const Inspection& inspection);
  void observe(Stage stage, std::chrono::duration<double> time);
  void count_upload(std::string_view reason, bool is_kept);
  // What happened at the source since the last call.
  struct SourceCounts {
    std::uint64_t dropped = 0;
    std::uint64_t incomplete = 0;
    std::uint64_t reconnects = 0;
  };
  void count_source(const SourceCounts& counts);
  void set_model(const ComponentId& component, const std::string& sha256);
  void count_model_failure();

  [[nodiscard]] std::string text() const;

  struct Totals {
    std::uint64_t frames = 0;
    std::uint64_t errors = 0;
    std::uint64_t detections = 0;
    SourceCounts source;
    std::uint64_t model_changes = 0;
  };
  [[nodiscard]] Totals totals() const;
  // Frames that got their result, of the last minute.
  [[nodiscard]] double frames_per_second() const;
  [[nodiscard]] std::map<Judgement, std::uint64_t> verdicts() const;

 private:
  void observe_locked(Stage stage, double seconds);

  mutable std::mutex mutex_;  // guards all below
  std::vector<base::Histogram> stages_;
  Totals totals_;
  RateMeter rate_{std::chrono::steady_clock::now()};
  std::map<std::string, std::uint64_t, std::less<>> detections_;  // by label
  std::map<Judgement, std::uint64_t> verdicts_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> uploads_;  // by reason, outcome
  std::uint64_t model_failures_ = 0;
  ComponentId model_;
  std::string model_sha256_;
};

}  // namespace andon::inspect
