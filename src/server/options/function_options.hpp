// SPDX-License-Identifier: Apache-2.0
// Functions of the Lambda API on this machine. Plain values.
#pragma once

#include "base/os/file.hpp"

namespace CLI {
class App;
}

namespace andon::server {

struct FunctionOptions {
  int at_once = 64;
  int idle_seconds = 300;
  unsigned first_user = 60'578;        // as root
  bool installs_requirements = false;  // what a requirements.txt names
  base::fs::path pip_config;           // pip.conf for that; empty: the machine's
  base::fs::path python;               // packages that each can import; empty: none
  base::fs::path images;               // what stands for container images; empty: nothing
};

void add_function_options(CLI::App& app, FunctionOptions& options);
// Throws options::UsageError.
void check_function_options(const FunctionOptions& options);

}  // namespace andon::server
