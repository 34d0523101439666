// SPDX-License-Identifier: Apache-2.0
#include "base/os/sync_name.hpp"

#include <unistd.h>

namespace andon::base {

void sync_name(const fs::path& path) {
  const fs::path directory = fs::absolute(path).lexically_normal().parent_path();
  if (access(directory.c_str(), R_OK) == 0) sync_directory(directory);
}

}  // namespace andon::base
