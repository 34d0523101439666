// SPDX-License-Identifier: Apache-2.0
// Room: process. Scripts of components as processes: as which user and in which directory, what
// they say, what is written down of them, and the keeper under which they outlive the agent.
// One script of one component, running: `sh -c <script>` in a process group of its own, with a
// deadline. Whose child it is, and what becomes of it without the agent, say the two kinds of it:
// ComponentProcess and KeptProcess. Owned by a Component; main thread only.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/os/process.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/process/run_as.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace andon::edge {

// Each level has all that those before it have; keep/keeper/sandbox.hpp has what they are.
enum class SandboxLevel {
  none,     // as Greengrass
  guarded,  // no new privileges, the system read-only
  strict,   // a /tmp of its own
  offline   // no network but a loopback of its own
};

struct Sandbox {
  SandboxLevel level = SandboxLevel::none;
  std::vector<std::string> places;  // as keep::Order has them
};

struct ProcessOrder {
  std::string component;
  std::string script;
  std::map<std::string, std::string> environment;  // all of it: the agent's own is not inherited
  base::fs::path working_directory;
  std::optional<std::chrono::milliseconds> timeout;
  RunAs run_as;
  // Of services alone:
  recipe::ResourceLimits limits;
  Sandbox sandbox;
};

struct ProcessEnd {
  base::ExitStatus status;
  bool timed_out = false;
  bool was_asked = false;      // ended by terminate()
  bool was_alone = false;      // while no agent ran
  bool lacked_memory = false;  // the kernel has killed something of it at its limit
  std::string last_words;      // of its output
};

class StepProcess {
 public:
  // `on_end` is called once, from the loop, when the first process of the group has exited; it may
  // destroy this object.
  StepProcess(EventLoop& loop, std::function<void(const ProcessEnd&)> on_end);
  StepProcess(const StepProcess&) = delete;
  StepProcess& operator=(const StepProcess&) = delete;
  virtual ~StepProcess();

  // Of the first process of the group, which has its number.
  [[nodiscard]] pid_t pid() const { return leader_; }
  // False once the first process of the group has exited.
  [[nodiscard]] bool alive() const { return !ended_; }
  // SIGTERM to the group, SIGKILL after `grace`; on_end follows.
  void terminate(std::chrono::milliseconds grace);
  // SIGSTOP and SIGCONT to the group; terminate() resumes it.
  virtual void pause();
  virtual void resume();

 protected:
  void lead(pid_t leader) { leader_ = leader; }
  // The step is terminated after so long.
  void limit(std::chrono::milliseconds timeout);
  void end(ProcessEnd end);
  [[nodiscard]] EventLoop& loop() { return loop_; }

 private:
  void signal(int number) const;

  EventLoop& loop_;
  std::function<void(const ProcessEnd&)> on_end_;
  pid_t leader_ = 0;
  EventLoop::TimerId deadline_ = 0;
  EventLoop::TimerId kill_ = 0;
  bool timed_out_ = false;
  bool asked_ = false;
  bool ended_ = false;
};

}  // namespace andon::edge
