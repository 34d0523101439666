// SPDX-License-Identifier: Apache-2.0
// What the processes of a sandbox use together, looked at from outside: for limits that no cgroup
// holds. The processes are hostile: nothing here follows a link or goes deeper than is good.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "job/order/job_directory.hpp"

namespace andon::job {

// Anonymous and shared memory, what is shared counted once. `process`: Sandbox::process().
[[nodiscard]] std::uint64_t memory_used(pid_t process);

struct DiskUse {
  std::uint64_t bytes = 0;
  std::string refusal;  // why it cannot be counted: too deep, too many files; else empty
};
// Below work/ and tmp/, with files that are open and have no name any more.
[[nodiscard]] DiskUse disk_used(const JobDirectory& directory, pid_t process);

// That they use more than `rules` allow, or that the disk is nearly full; else nothing.
struct Excess {
  JobEnd end = JobEnd::memory_exceeded;
  std::string message;
};
[[nodiscard]] std::optional<Excess> find_excess(const JobDirectory& directory, pid_t process,
                                                const SandboxRules& rules);

}  // namespace andon::job
