// SPDX-License-Identifier: Apache-2.0
// A step that is the agent's own child, its output into the component's log: what prepares a
// component, stops it, or takes it away. It ends with its agent and is done again by the next one;
// of one that was killed the journal has its group. Owned by a Component; main thread only
// (children die with the thread that started them).
#pragma once

#include <functional>

#include "base/os/process.hpp"
#include "edge/process/component_log.hpp"
#include "edge/process/process_journal.hpp"
#include "edge/process/step_process.hpp"

namespace andon::edge {

class ComponentProcess final : public StepProcess {
 public:
  ComponentProcess(EventLoop& loop, ProcessJournal& journal, ComponentLog& log,
                   const ProcessOrder& order, std::function<void(const ProcessEnd&)> on_end);
  // Kills whatever of the group still runs.
  ~ComponentProcess() override;

 private:
  [[nodiscard]] base::Process start(const ProcessOrder& order);
  bool read_output();  // false when there was nothing to read
  void drain_output();
  void on_exit();

  ProcessJournal& journal_;
  ComponentLog& log_;
  base::UniqueFd output_;  // read end of the pipe
  base::Process process_;
};

}  // namespace andon::edge
