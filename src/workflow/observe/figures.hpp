// SPDX-License-Identifier: Apache-2.0
// What executions have done since the program was started, in counts that only rise. Told after
// each commit; any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "workflow/executions/types.hpp"
#include "workflow/machines/types.hpp"

namespace andon::workflow {

class Figures {
 public:
  void note(MachineType type, const Execution& execution,
            const std::vector<asl::HistoryEvent>& events);

  struct Counts {
    std::uint64_t started = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t aborted = 0;
  };
  [[nodiscard]] Counts counts(MachineType type) const;
  // States entered.
  [[nodiscard]] std::uint64_t transitions() const { return transitions_; }

 private:
  struct Counters {
    std::atomic<std::uint64_t> started = 0;
    std::atomic<std::uint64_t> succeeded = 0;
    std::atomic<std::uint64_t> failed = 0;
    std::atomic<std::uint64_t> timed_out = 0;
    std::atomic<std::uint64_t> aborted = 0;
  };
  std::array<Counters, 2> counters_;
  std::atomic<std::uint64_t> transitions_ = 0;
};

}  // namespace andon::workflow
