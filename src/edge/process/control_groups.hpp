// SPDX-License-Identifier: Apache-2.0
// Cgroups of components, of version 1 or 2: a service runs with all that it starts in one of its
// own, whose limits the kernel keeps, which stands still as a whole and ends as a whole. They lie
// below the agent's cgroup (version 1) or beside it (version 2, where a cgroup with processes can
// pass no limits on: below the delegated one where the unit names a subgroup for the agent).
// Pure but for the files that the paths name; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace andon::edge {

// One service's: a directory in each hierarchy that has something to say to it. None: there is no
// cgroup, and nothing here does anything.
class ComponentCgroup {
 public:
  ComponentCgroup() = default;
  explicit ComponentCgroup(std::vector<std::string> directories)
      : directories_(std::move(directories)) {}

  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }
  // Who writes "0" to each of them is in it.
  [[nodiscard]] std::vector<std::string> entrances() const;

  // What of the limits the kernel will not keep, and why; empty where it keeps all of them. A limit
  // that is not given is lifted.
  [[nodiscard]] std::string limit(const recipe::ResourceLimits& limits) const;
  // False where it cannot be done here.
  bool freeze() const;
  bool thaw() const;
  [[nodiscard]] bool is_frozen() const;
  // Whatever is in it; who is born meanwhile may be left over: call again until remove() says yes.
  void kill() const;
  // False while there is something in it.
  bool remove() const;
  // Has a process of it been killed for want of memory?
  [[nodiscard]] bool has_run_out_of_memory() const;

 private:
  [[nodiscard]] std::optional<base::fs::path> find(const char* file) const;
  [[nodiscard]] bool set_frozen(bool frozen) const;

  std::vector<std::string> directories_;
};

// Where the agent makes them. One object an agent.
class ControlGroups {
 public:
  ControlGroups() = default;  // nowhere
  explicit ControlGroups(std::vector<base::fs::path> bases) : bases_(std::move(bases)) {}

  // Of this process. `name`: of the directory that has them all, one for each agent of a machine.
  [[nodiscard]] static ControlGroups of_this_process(const std::string& name);

  // `name` is new. None where it cannot be made; says so in the log the first time.
  [[nodiscard]] ComponentCgroup make(const std::string& name);
  // Removes what is empty, of agents before.
  void sweep() const;

  [[nodiscard]] const std::vector<base::fs::path>& bases() const { return bases_; }

 private:
  std::vector<base::fs::path> bases_;
  bool has_complained_ = false;
};

// The directories in which cgroups can be made, by the texts of /proc/self/mountinfo and
// /proc/self/cgroup: one of version 2 that has the controllers, else those of version 1 that there
// are (memory, cpu, freezer), else the one of version 2, without limits.
[[nodiscard]] std::vector<base::fs::path> cgroup_bases(std::string_view mounts,
                                                       std::string_view own,
                                                       const std::string& name);

}  // namespace andon::edge
