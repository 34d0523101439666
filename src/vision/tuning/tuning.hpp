// SPDX-License-Identifier: Apache-2.0
// Which way of using the processor suits a model on this machine: measured once, remembered in a
// file. Measuring runs the model on all cores that may be used; it can be interrupted after any
// picture and continued.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "vision/detect/detector.hpp"

namespace andon::vision {

enum class TuningGoal {
  throughput,  // as many pictures a second as can be, over all workers
  latency,     // one picture as soon as can be
};

// What is given is kept to; what is not is measured.
struct TuningRequest {
  TuningGoal goal = TuningGoal::throughput;
  std::optional<int> workers;
  std::optional<int> threads;
  std::optional<std::size_t> batch;
  enum class Pinning { never, measured, always } pinning = Pinning::never;
  std::vector<int> cores;  // that threads may be kept on; all that may be used, if empty
};

struct Tuning {
  int workers = 1;  // detectors (siblings) at work at once
  int threads = 1;  // of the network; beyond one they are shared by the workers
  SessionOptions::Waiting waiting = SessionOptions::Waiting::block;
  std::size_t batch = 1;           // pictures that a run takes
  bool is_pinned = false;          // each thread on a core of its own
  double pictures_per_second = 0;  // of JPEGs of the network's size
  enum class Origin { measured, remembered } origin = Origin::measured;
};

// That the request allows.
[[nodiscard]] int core_count(const TuningRequest& request);

// False where all is given.
[[nodiscard]] bool has_choice(const TuningRequest& request);

// The cores of a session's threads beside the workers': the workers have the first ones.
[[nodiscard]] std::vector<int> pool_cores(const std::vector<int>& cores, int workers);

class Tuner {
 public:
  // `options.session`'s threads, waiting and cores are not looked at, nor is `max_batch`.
  Tuner(const OnnxRuntime& runtime, ModelFile model, DetectorOptions options,
        TuningRequest request);
  Tuner(Tuner&& other) noexcept;
  ~Tuner();

  // For two or three seconds; longer where a picture takes longer than a tenth. Nothing where it
  // was interrupted: the next call goes on with what is missing. Asked after each picture, on
  // several threads.
  using IsInterrupted = std::function<bool()>;
  [[nodiscard]] std::optional<Tuning> measure(const IsInterrupted& is_interrupted);

 private:
  class Trial;
  struct State;
  [[nodiscard]] Trial& trial(std::size_t number);

  const OnnxRuntime& runtime_;
  ModelFile model_;
  DetectorOptions options_;
  TuningRequest request_;
  std::unique_ptr<State> state_;
};

// What is remembered: by the model's digest, the processor and its cores, ONNX Runtime's version,
// the providers and the request.
[[nodiscard]] std::string tuning_key(const OnnxRuntime& runtime, std::string_view model_sha256,
                                     const DetectorOptions& options, const TuningRequest& request);
// A file that cannot be read remembers nothing.
[[nodiscard]] std::optional<Tuning> remembered_tuning(const base::fs::path& cache,
                                                      const std::string& key);
// A file that cannot be written is only logged.
void remember_tuning(const base::fs::path& cache, const std::string& key, const Tuning& tuning);

}  // namespace andon::vision
