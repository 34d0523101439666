// SPDX-License-Identifier: Apache-2.0
#include "workflow/observe/figures.hpp"

namespace andon::workflow {

void Figures::note(MachineType type, const Execution& execution,
                   const std::vector<asl::HistoryEvent>& events) {
  Counters& counters = counters_.at(static_cast<std::size_t>(type));
  std::uint64_t entered = 0;
  for (const asl::HistoryEvent& event : events) {
    if (event.type.ends_with("StateEntered")) ++entered;
    if (event.type == "ExecutionStarted") ++counters.started;
  }
  transitions_ += entered;
  switch (execution.status) {
    case asl::Status::running:
      return;
    case asl::Status::succeeded:
      ++counters.succeeded;
      return;
    case asl::Status::failed:
      ++counters.failed;
      return;
    case asl::Status::timed_out:
      ++counters.timed_out;
      return;
    case asl::Status::aborted:
      ++counters.aborted;
      return;
  }
}

Figures::Counts Figures::counts(MachineType type) const {
  const Counters& counters = counters_.at(static_cast<std::size_t>(type));
  return {counters.started, counters.succeeded, counters.failed, counters.timed_out,
          counters.aborted};
}

}  // namespace andon::workflow
