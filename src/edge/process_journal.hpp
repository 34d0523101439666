// SPDX-License-Identifier: Apache-2.0
// Which process groups of components are running: one small file each in <root>/run/processes, so
// that an agent that was killed can end what it left behind when it starts again. Main thread
// only. Not fsynced: after a power loss there are no processes to end.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/file.hpp"

namespace andon::edge {

// Set in the environment of every component process, so that a leftover whose leader has died
// can be told from a stranger that got the same process group number.
constexpr std::string_view kProcessMark = "ANDON_EDGE_PROCESS_MARK";

class ProcessJournal {
 public:
  explicit ProcessJournal(base::fs::path directory) : directory_(std::move(directory)) {}

  // Kills every process group that an earlier agent wrote down and that is still what it was then.
  // Returns how many groups were killed.
  int kill_leftovers();

  // `leader` leads its own process group and carries `mark` in its environment.
  void add(pid_t leader, std::string_view component, std::string_view mark);
  void remove(pid_t leader);

 private:
  base::fs::path directory_;
};

}  // namespace andon::edge
