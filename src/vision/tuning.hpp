// SPDX-License-Identifier: Apache-2.0
// Which way of using the processor suits a model on this machine: measured once, remembered in a
// file. Call it before work begins: it runs the model for about two seconds on all cores.
#pragma once

#include <string_view>

#include "base/file.hpp"
#include "vision/detector.hpp"

namespace andon::vision {

enum class TuningGoal {
  throughput,  // as many pictures a second as can be, over all workers
  latency,     // one picture as soon as can be
};

struct Tuning {
  int workers = 1;  // detectors (siblings) at work at once
  int threads = 1;  // of each of them
  SessionOptions::Waiting waiting = SessionOptions::Waiting::block;
  double pictures_per_second = 0;  // of a grey picture, without decoding
  enum class Origin { measured, remembered } origin = Origin::measured;
};

// Remembers by the model's digest, the processor, its cores, ONNX Runtime's version, the providers
// and the goal. An unreadable `cache` is measured over; one that cannot be written is no error.
// `options.session.threads` and `waiting` are not looked at.
[[nodiscard]] Tuning tune(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
                          const DetectorOptions& options, TuningGoal goal,
                          const base::fs::path& cache);

}  // namespace andon::vision
