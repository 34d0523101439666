// SPDX-License-Identifier: Apache-2.0
// Which process groups of components are running: one small file each in <root>/run/processes, so
// that an agent that was killed can end what it left behind when it starts again; and a directory
// each for services that outlive their agent (kept_record.hpp). Main thread only. Not fsynced:
// after a power loss there are no processes to end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "edge/process/control_groups.hpp"
#include "edge/process/kept_record.hpp"

namespace andon::edge {

// Set in the environment of every component process, so that a leftover whose leader has died
// can be told from a stranger that got the same process group number.
constexpr std::string_view kProcessMark = "ANDON_EDGE_PROCESS_MARK";
[[nodiscard]] std::string new_process_mark();

class ProcessJournal {
 public:
  explicit ProcessJournal(base::fs::path directory) : directory_(std::move(directory)) {}

  // Kills every process group that an earlier agent wrote down and that is still what it was then.
  // Returns how many groups were killed.
  int kill_leftovers();

  // `leader` leads its own process group and carries `mark` in its environment.
  void add(pid_t leader, std::string_view component, std::string_view mark);
  void remove(pid_t leader);

  // Ends what is left of a group whose leader is gone, by its mark.
  void kill_group(pid_t group, const std::string& mark);

  // Of a component's service, below which its keeper and its record are.
  [[nodiscard]] base::fs::path kept_directory(const std::string& component) const {
    return directory_ / "kept" / component;
  }
  // Services that earlier agents have left, since the machine has started. What cannot be read is
  // ended and goes.
  [[nodiscard]] std::vector<KeptRecord> kept() const;

  // Where services have their cgroups; nowhere before.
  void set_cgroups(ControlGroups groups) {
    cgroups_ = std::move(groups);
    cgroups_.sweep();
  }
  [[nodiscard]] ControlGroups& cgroups() { return cgroups_; }

  // What keepers hold open for the agent while there is none, asked at each start of one.
  void set_held_fd(std::function<int()> held) { held_ = std::move(held); }
  [[nodiscard]] std::optional<int> held_fd() const {
    const int fd = held_ ? held_() : -1;
    return fd < 0 ? std::nullopt : std::optional<int>(fd);
  }

 private:
  base::fs::path directory_;
  std::function<int()> held_;
  ControlGroups cgroups_;
};

}  // namespace andon::edge
