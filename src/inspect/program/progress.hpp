// SPDX-License-Identifier: Apache-2.0
// For a person who waits: one line on the terminal that tells how far it is, and the summary at
// the end, for people or (--json) for scripts. Belongs to one thread.
#pragma once

#include <chrono>
#include <string>

#include "inspect/program/service.hpp"
#include "inspect/results/metrics.hpp"

namespace andon::inspect {

class Progress {
 public:
  explicit Progress(const Metrics& metrics);
  // Ends the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // After each result; writes a few times a second, and only to a terminal.
  void update();

  // {"images", "known", "errors", "detections", "dropped", "seconds", "images_per_second",
  //  "model_changes"}, and "line" (LineOutputs::status) where it has outputs
  [[nodiscard]] std::string summary_json(const Service::Counts& counts,
                                         const LineOutputs& line) const;
  [[nodiscard]] std::string summary(const Service::Counts& counts) const;

 private:
  [[nodiscard]] double seconds() const;

  const Metrics& metrics_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point written_{};
  bool is_terminal_;
};

}  // namespace andon::inspect
