// SPDX-License-Identifier: Apache-2.0
// Child processes: started in a process group of their own, ended as a group.
// A child dies with the thread that started it (PR_SET_PDEATHSIG), so start children only from a
// thread that lives as long as the program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/os/file.hpp"

namespace andon::base {

// "nogroup": of who is in no group of its own.
constexpr gid_t kNoGroup = 65534;

enum class Inherited { environment, nothing };

struct ProcessOptions {
  std::vector<std::string> arguments;  // [0] is the program; looked up in PATH if it has no '/'
  std::map<std::string, std::string> environment;  // added to what is inherited
  Inherited inherited = Inherited::environment;
  fs::path working_directory;  // empty: the parent's
  int stdin_fd = -1;           // -1: the parent's
  int stdout_fd = -1;          // -1: the parent's
  int stderr_fd = -1;
  std::optional<uid_t> user;   // switched to before exec; needs root
  std::optional<gid_t> group;  // of a user without one: kNoGroup
  std::vector<gid_t> groups;   // beside it; of the parent's groups none is kept
};

struct ExitStatus {
  int code = 0;    // exit code, valid when signal == 0
  int signal = 0;  // the signal that ended it, or 0
  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
};
// "exit code 3" or "signal 9 (Killed)".
[[nodiscard]] std::string to_string(const ExitStatus& status);

// One running child. It has descriptors 0, 1 and 2 and no others, whatever is open here. The
// destructor kills its whole group and reaps it.
class Process {
 public:
  explicit Process(const ProcessOptions& options);  // throws where the program cannot be started
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // A pidfd: readable when the child has exited. Owned by this object.
  [[nodiscard]] int exit_fd() const { return pidfd_.get(); }
  // The status if it has exited; never blocks.
  [[nodiscard]] std::optional<ExitStatus> poll();
  [[nodiscard]] std::optional<ExitStatus> wait(std::chrono::milliseconds timeout);
  // Sends `signal` to the whole group; nothing happens if it has exited.
  void signal_group(int signal);
  // SIGTERM, then SIGKILL after `grace`; returns when it has been reaped.
  ExitStatus stop(std::chrono::milliseconds grace);

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<ExitStatus> status_;
};

// From now on a crash leaves no picture of this process's memory on a disk, and other processes of
// its user cannot read it: for programs that hold keys. Children begin anew with their exec.
void hide_memory();

// When a process started, in clock ticks since boot (field 22 of /proc/PID/stat): with the pid it
// names one process for ever. Nothing where there is no such process.
[[nodiscard]] std::optional<std::uint64_t> process_start_ticks(pid_t pid);

}  // namespace andon::base
