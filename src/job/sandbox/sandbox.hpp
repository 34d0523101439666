// SPDX-License-Identifier: Apache-2.0
// A command running in a sandbox of its own, held to SandboxRules. Everything that it has started
// ends with it, and all of it ends with the process that made this. That process has one thread.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/os/process.hpp"
#include "job/sandbox/limits.hpp"
#include "job/sandbox/rules.hpp"

namespace andon::job {

class Sandbox {
 public:
  // `output` becomes the command's standard output and error. Throws base::Error: unsupported where
  // the kernel cannot hold it to the rules, not_found where the program cannot be run.
  Sandbox(const SandboxRules& rules, const Command& command, int output);
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();  // kills

  // Readable when the command has ended.
  [[nodiscard]] int event_fd() const { return status_.get(); }
  // Those of rules.served, in their order: they listen in the sandbox's network, and whoever has
  // them accepts there. Once.
  [[nodiscard]] std::vector<base::UniqueFd> take_listeners() { return std::move(listeners_); }
  // How it ended, if it has; never blocks.
  [[nodiscard]] std::optional<base::ExitStatus> poll();
  // The processes' own parent, outside: it sees them as /proc/<process>/root/proc.
  [[nodiscard]] pid_t process() const { return init_; }

  void terminate() const;  // SIGTERM to the command's group
  void kill();             // everything, at once; returns when it is gone

 private:
  std::optional<Cgroup> cgroup_;
  pid_t init_ = -1;
  base::UniqueFd status_;
  std::vector<base::UniqueFd> listeners_;
  std::optional<base::ExitStatus> ended_;
  bool is_over_ = false;
};

}  // namespace andon::job
