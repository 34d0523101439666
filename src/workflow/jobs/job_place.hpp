// SPDX-License-Identifier: Apache-2.0
// What every job gets here, whoever orders it: what it may see of the machine, its first variables,
// its files put there and made its own. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "job/order/job_directory.hpp"

namespace andon::workflow {

// What jobs may have here, whatever their parameters say.
struct JobPolicy {
  std::vector<job::fs::path> read_only;  // seen by each, beside the system's own
  std::vector<job::fs::path> hidden;     // the server's own
  std::vector<std::uint16_t> ports;      // that may be asked for
  job::fs::path cgroup;

  void apply(job::SandboxRules& rules) const;
  // The first of `asked` that jobs may not use; 0: there is none.
  [[nodiscard]] std::uint16_t refused_port(const std::vector<std::uint16_t>& asked) const;
};

// PATH, HOME, TMPDIR and the like, where a job has none of its own.
[[nodiscard]] std::map<std::string, std::string> job_environment();

// What `from` has from its offset on, to the end; where the disk can, the bytes are shared.
void copy_all(int from, int to, const job::fs::path& path);

// Files that the server has put below work/ become the job's user's.
void give_to_job(const job::JobDirectory& directory);

}  // namespace andon::workflow
