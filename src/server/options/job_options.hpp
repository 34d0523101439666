// SPDX-License-Identifier: Apache-2.0
// Commands that state machines and model jobs run on this machine. Plain values.
#pragma once

#include <cstdint>
#include <vector>

#include "base/os/file.hpp"

namespace CLI {
class App;
}

namespace andon::server {

struct JobOptions {
  int at_once = 8;
  std::vector<base::fs::path> paths;  // that each sees, read-only
  base::fs::path images;              // commands in the place of images; empty: none
  std::vector<std::uint16_t> ports;   // TCP, that a job may be given
  base::fs::path cgroup;              // a delegated one; empty: limits of processes
  unsigned first_user = 60'706;       // as root
};

void add_job_options(CLI::App& app, JobOptions& options);
// Throws options::UsageError.
void check_job_options(const JobOptions& options);

}  // namespace andon::server
