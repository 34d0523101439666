// SPDX-License-Identifier: Apache-2.0
// Reads a component's log as it grows, over its rotation. Works without an agent. Blocks; one
// thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/os/file.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

class LogFollower {
 public:
  // Throws invalid_argument for what is no component's name, not_found where it has no log.
  LogFollower(const Layout& layout, std::string_view component);

  // The last `lines` (at most 1 MiB) of what is there.
  [[nodiscard]] std::string last_lines(std::size_t lines);
  // What was written since, at most 64 KiB; waits so long for something to come, and may give
  // nothing.
  [[nodiscard]] std::string more(std::chrono::milliseconds wait);

 private:
  void open(const fs::path& path);
  [[nodiscard]] fs::path next() const;
  [[nodiscard]] std::string read_on();

  fs::path path_;
  base::UniqueFd file_;
  ino_t inode_ = 0;
  off_t at_ = 0;
};

}  // namespace andon::edge
