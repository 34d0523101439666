// SPDX-License-Identifier: Apache-2.0
// One script of one component, running: `sh -c <script>` in a process group of its own, its output
// into the component's log, with a deadline. Owned by a Component; main thread only (children die
// with the thread that started them). After a kill of the agent the journal has its group.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/process.hpp"
#include "edge/component_log.hpp"
#include "edge/event_loop.hpp"
#include "edge/process_journal.hpp"

namespace andon::edge {

struct ProcessOrder {
  std::string component;
  std::string script;
  std::map<std::string, std::string> environment;
  base::fs::path working_directory;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<uid_t> user;
  std::optional<gid_t> group;
};

struct ProcessEnd {
  base::ExitStatus status;
  bool timed_out = false;
  bool was_asked = false;  // ended by terminate()
};

class ComponentProcess {
 public:
  // `on_end` is called once, from the loop, when the first process of the group has exited; it may
  // destroy this object.
  ComponentProcess(EventLoop& loop, ProcessJournal& journal, ComponentLog& log,
                   const ProcessOrder& order, std::function<void(const ProcessEnd&)> on_end);
  ComponentProcess(const ComponentProcess&) = delete;
  ComponentProcess& operator=(const ComponentProcess&) = delete;
  // Kills whatever of the group still runs.
  ~ComponentProcess();

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  // False once the first process of the group has exited.
  [[nodiscard]] bool alive() const { return !ended_; }
  // SIGTERM to the group, SIGKILL after `grace`; on_end follows.
  void terminate(std::chrono::milliseconds grace);

 private:
  [[nodiscard]] base::Process start(const ProcessOrder& order);
  bool read_output();  // false when there was nothing to read
  void drain_output();
  void end();

  EventLoop& loop_;
  ProcessJournal& journal_;
  ComponentLog& log_;
  std::function<void(const ProcessEnd&)> on_end_;
  base::UniqueFd output_;  // read end of the pipe
  base::Process process_;
  EventLoop::TimerId deadline_ = 0;
  EventLoop::TimerId kill_ = 0;
  bool timed_out_ = false;
  bool asked_ = false;
  bool ended_ = false;
};

}  // namespace andon::edge
