// SPDX-License-Identifier: Apache-2.0
// How much a sandbox may use: a cgroup where one was delegated, limits of its processes in any
// case, so that no single one goes far between two looks at their sum (keeper/usage.hpp).
#pragma once

#include "job/sandbox/rules.hpp"

namespace andon::job {

// Of the calling process and what it starts. `own`: processes of the sandbox that count and are not
// the command's. Throws system_error.
void set_process_limits(const Limits& limits, bool has_cgroup, std::uint64_t own);

// Likewise; the last before it becomes another program, as it may be too tight for this one.
void set_memory_limit(const Limits& limits);

// A cgroup of version 2 for one sandbox, below one that was delegated.
class Cgroup {
 public:
  // Throws unsupported naming what is missing where `parent` is none that can be used.
  static void check(const fs::path& parent);
  Cgroup(const fs::path& parent, const std::string& name, const Limits& limits);
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();  // kills what is in it

  void add(pid_t process) const;

 private:
  fs::path path_;
};

}  // namespace andon::job
