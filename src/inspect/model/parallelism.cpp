// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/parallelism.hpp"

#include <algorithm>

#include "base/os/cores.hpp"
#include "vision/runtime/cores.hpp"

namespace andon::inspect {
namespace {

using Pinning = vision::TuningRequest::Pinning;
using Waiting = vision::SessionOptions::Waiting;

// Under a quota the system chooses better: others may sit on the first cores, too.
bool has_quota(const Processor& processor) {
  return processor.usable < static_cast<int>(processor.allowed.size());
}

std::vector<int> named_cores(const SpreadOptions& options, const Processor& processor) {
  if (!options.names_cores()) return {};
  std::vector<int> cores = vision::parse_core_list(options.affinity);
  vision::check_cores(cores, processor.allowed);
  return cores;
}

}  // namespace

Processor Processor::here() {
  return {base::allowed_cores(), base::usable_cores()};
}

Parallelism usual_parallelism(const SpreadOptions& options, const Processor& processor) {
  Parallelism chosen;
  chosen.cores = named_cores(options, processor);
  const int cores = chosen.cores.empty() ? processor.usable : static_cast<int>(chosen.cores.size());
  if (options.load == Load::latency) {
    chosen.workers = std::max(1, options.workers);
    chosen.threads = options.threads > 0 ? options.threads : cores;
    // A lone session may spin: nobody else wants the cores between two images.
    if (chosen.workers == 1) chosen.waiting = Waiting::spin;
  } else {
    chosen.threads = std::max(1, options.threads);
    chosen.workers = options.workers > 0 ? options.workers : std::max(1, cores / chosen.threads);
  }
  chosen.batch = static_cast<std::size_t>(options.batch);
  return chosen;
}

vision::TuningRequest tuning_request(const SpreadOptions& options, SourceKind kind,
                                     const Processor& processor) {
  vision::TuningRequest request;
  const bool is_latency = options.load == Load::latency;
  request.goal = is_latency ? vision::TuningGoal::latency : vision::TuningGoal::throughput;
  if (options.workers > 0) request.workers = options.workers;
  if (options.threads > 0) request.threads = options.threads;
  if (options.batch > 0) {
    request.batch = static_cast<std::size_t>(options.batch);
  } else if (is_latency || kind == SourceKind::live) {
    request.batch = 1;
  }
  request.cores = named_cores(options, processor);
  if (options.names_cores()) request.pinning = Pinning::always;
  if (options.affinity == "auto" && !has_quota(processor)) request.pinning = Pinning::measured;
  return request;
}

Parallelism tuned_parallelism(const SpreadOptions& options, const Processor& processor,
                              const vision::Tuning& tuning) {
  Parallelism chosen;
  chosen.workers = tuning.workers;
  chosen.threads = tuning.threads;
  chosen.waiting = tuning.waiting;
  chosen.batch = tuning.batch;
  chosen.cores = named_cores(options, processor);
  if (tuning.is_pinned && chosen.cores.empty()) chosen.cores = processor.allowed;
  return chosen;
}

std::size_t frames_in_flight(SourceKind kind, const Parallelism& parallelism) {
  const auto count =
      static_cast<std::size_t>(parallelism.workers) * std::max<std::size_t>(1, parallelism.batch);
  return kind == SourceKind::live ? count : 2 * count;
}

}  // namespace andon::inspect
