// SPDX-License-Identifier: Apache-2.0
// Loads models for the way in which the work is spread over the processor: as it was said by hand,
// as it is remembered, as it was measured before anything else, or as it is measured while there is
// nothing else to do. Belongs to main's thread but for load(), which is for any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "inspect/model/idle_tuner.hpp"
#include "inspect/model/model.hpp"
#include "inspect/program/options.hpp"

namespace andon::inspect {

class Spread {
 public:
  // `runtime` and `options` outlive it. Throws invalid_argument for cores that may not be used.
  Spread(const vision::OnnxRuntime& runtime, const Options& options, SourceKind kind);
  Spread(const Spread&) = delete;
  Spread& operator=(const Spread&) = delete;

  // The model to start with: what is remembered or measured is for this one.
  [[nodiscard]] std::shared_ptr<const Model> load_first(const base::fs::path& path);
  // Any later one.
  [[nodiscard]] std::shared_ptr<const Model> load(const base::fs::path& path) const;

  // What measures when there is time; null where nothing is to be measured.
  [[nodiscard]] IdleTuner* tuner() { return tuner_ ? &*tuner_ : nullptr; }
  // What it measured is remembered. True where the model in use should be loaded anew for it.
  [[nodiscard]] bool take_over(const vision::Tuning& tuning, const Model& in_use);

 private:
  [[nodiscard]] ModelOptions model_options() const;
  void spread(const vision::Tuning& tuning);
  void remember(const vision::Tuning& tuning) const;
  void tune_when_idle(const base::fs::path& path);

  const vision::OnnxRuntime& runtime_;
  const Options& options_;
  const Processor processor_;
  const vision::TuningRequest request_;
  std::string first_sha256_;
  std::string key_;
  mutable std::mutex mutex_;  // guards the next
  Parallelism parallelism_;
  std::optional<IdleTuner> tuner_;
};

}  // namespace andon::inspect
