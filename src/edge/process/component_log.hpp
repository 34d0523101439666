// SPDX-License-Identifier: Apache-2.0
// What a component's own steps write to their standard output and error: <root>/logs/NAME.log,
// rotated by size (.1 is the newest old one). What its service writes its keeper adds to the same
// file. Main thread only; shared by the processes of one component.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/os/file.hpp"
#include "keep/record/log_file.hpp"

namespace andon::edge {

struct LogRotation {
  std::uint64_t max_bytes = 1U << 20U;
  int files_kept = 3;                            // beside the current one
  std::uint64_t bytes_per_second = 256U << 10U;  // 0: no cap
};

class ComponentLog {
 public:
  explicit ComponentLog(base::fs::path path, LogRotation rotation = {});

  // A full disk loses log lines, not the component: what cannot be written is dropped.
  void write(std::string_view bytes);
  // The last bytes written, for the reason of a failure.
  [[nodiscard]] const std::string& tail() const { return tail_; }
  void forget_tail() { tail_.clear(); }
  // For who else writes it.
  [[nodiscard]] const base::fs::path& path() const { return path_; }
  [[nodiscard]] const LogRotation& rotation() const { return rotation_; }

 private:
  base::fs::path path_;
  LogRotation rotation_;
  keep::LogFile file_;
  std::string tail_;
};

}  // namespace andon::edge
