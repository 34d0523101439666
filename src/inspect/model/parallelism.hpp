// SPDX-License-Identifier: Apache-2.0
// How the work is spread over the processor: what was said by hand, what was measured, and what is
// usual. Values and pure functions, but for Processor::here().
#pragma once

#include <string>
#include <vector>

#include "inspect/source/source.hpp"
#include "vision/tuning/tuning.hpp"

namespace andon::inspect {

// Many pictures a second: a worker a core, each with one thread. Or each picture as soon as
// possible: one worker on all cores.
enum class Load { throughput, latency };

// What was said by hand. 0: nothing.
struct SpreadOptions {
  Load load = Load::throughput;
  int workers = 0;
  int threads = 0;
  int batch = 0;
  std::string affinity = "none";  // or "auto", or a list of cores
  // Measured when there is time and remembered; not; or before anything else.
  enum class Tune { automatic, off, now } tune = Tune::automatic;

  [[nodiscard]] bool names_cores() const { return affinity != "none" && affinity != "auto"; }
};

struct Parallelism {
  int workers = 1;
  int threads = 1;  // of the network
  vision::SessionOptions::Waiting waiting = vision::SessionOptions::Waiting::block;
  // Pictures that one run takes; 0, before a model is loaded: as many as the model must have.
  std::size_t batch = 1;
  std::vector<int> cores;  // where threads stay: the workers', then those of the network; or empty
  bool operator==(const Parallelism&) const = default;
};

// What this process may use of the processor.
struct Processor {
  std::vector<int> allowed;  // cores
  int usable = 1;            // how many of them at a time
  [[nodiscard]] static Processor here();
};

// Without a measurement. Throws invalid_argument for cores that may not be used.
[[nodiscard]] Parallelism usual_parallelism(const SpreadOptions& options,
                                            const Processor& processor);

// What is left to measure. A live source's frames do not wait for others.
[[nodiscard]] vision::TuningRequest tuning_request(const SpreadOptions& options, SourceKind kind,
                                                   const Processor& processor);
[[nodiscard]] Parallelism tuned_parallelism(const SpreadOptions& options,
                                            const Processor& processor,
                                            const vision::Tuning& tuning);

// Files wait until there is time. Live frames wait in no queue: they would grow old.
[[nodiscard]] std::size_t frames_in_flight(SourceKind kind, const Parallelism& parallelism);

}  // namespace andon::inspect
