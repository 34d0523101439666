// SPDX-License-Identifier: Apache-2.0
// The demo's children, kept running: a process that dies is started again, and that is said.
// One thread, which must live as long as the children (base/process.hpp).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/os/process.hpp"
#include "cli/terminal/terminal.hpp"

namespace andon::cli {

struct ChildProgram {
  std::string name;                    // "andon-server"
  std::vector<std::string> arguments;  // [0] is the program
  base::fs::path log;                  // gets its stdout and stderr, appended
};

class SupervisedProcesses {
 public:
  explicit SupervisedProcesses(Terminal& terminal) : terminal_(terminal) {}
  SupervisedProcesses(const SupervisedProcesses&) = delete;
  SupervisedProcesses& operator=(const SupervisedProcesses&) = delete;
  // Stops them, the last one started first.
  ~SupervisedProcesses();

  void start(ChildProgram program);
  // Starts again what has died. Throws unavailable, with the end of its log, for a program that
  // keeps dying at once.
  void check();

 private:
  struct Child {
    ChildProgram program;
    base::Process process;
    std::chrono::steady_clock::time_point started;
    int quick_deaths = 0;
  };
  [[nodiscard]] static base::Process launch(const ChildProgram& program);

  Terminal& terminal_;
  std::vector<Child> children_;
};

// Runs a program to its end and gives its stdout. Throws with the end of its stderr where it
// fails, deadline_exceeded where it takes longer than `timeout`.
std::string run_to_end(const std::vector<std::string>& arguments, const base::fs::path& log,
                       std::chrono::milliseconds timeout);

}  // namespace andon::cli
