// SPDX-License-Identifier: Apache-2.0
// A component's service, whose parent is a keeper of its own (andon-keeper): it goes on when the
// agent ends, and the next agent takes it up by what both have written down (kept_record.hpp).
// Owned by a Component; main thread only.
#pragma once

#include <functional>
#include <memory>

#include "edge/process/component_log.hpp"
#include "edge/process/kept_record.hpp"
#include "edge/process/process_journal.hpp"
#include "edge/process/step_process.hpp"

namespace andon::edge {

class KeptProcess final : public StepProcess {
 public:
  // Starts it. `record` says who it is; its mark, its times and its machine are filled in here.
  KeptProcess(EventLoop& loop, ProcessJournal& journal, const ComponentLog& log,
              const ProcessOrder& order, KeptRecord record,
              std::function<void(const ProcessEnd&)> on_end);
  // Takes up what an earlier agent has started. It may have ended: `on_end` follows all the same.
  KeptProcess(EventLoop& loop, ProcessJournal& journal, KeptRecord record,
              std::function<void(const ProcessEnd&)> on_end);
  // Kills whatever of the group still runs, unless it is left, and lets the keeper go.
  ~KeptProcess() override;

  [[nodiscard]] const KeptRecord& record() const { return record_; }
  // When it has ended, as its keeper saw it.
  [[nodiscard]] std::optional<LoopClock::Instant> ended_at() const;
  // In its cgroup or by SIGSTOP, whoever did it.
  [[nodiscard]] bool stands_still() const;
  // Its cgroup as a whole, where it has one.
  void pause() override;
  void resume() override;
  // While it runs, too. What of them is not kept, and why, says note().
  void limit_to(const recipe::ResourceLimits& limits);
  [[nodiscard]] const std::string& note() const { return note_; }
  // For the next agent.
  void note_running();
  void note_client(bool has_client);
  // It was taken up, had a client of the earlier agent's IPC, and has none of this one's so far.
  [[nodiscard]] bool lacks_client() const { return lacks_client_; }
  // It is the next agent's from now on.
  void leave() { is_left_ = true; }

 private:
  void start(const ComponentLog& log, const ProcessOrder& order);
  void watch();
  void look_for_end();
  void lose();
  void deliver(ProcessEnd end);
  void write_record();

  ProcessJournal& journal_;
  KeptPlace place_;
  KeptRecord record_;
  ComponentCgroup cgroup_;
  std::string note_;
  base::UniqueFd keeper_;  // pidfds
  base::UniqueFd exit_;
  EventLoop::TimerId look_ = 0;
  std::chrono::milliseconds next_look_{2};
  bool was_alone_ = false;  // when it ended
  bool lacks_client_ = false;
  bool is_left_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
