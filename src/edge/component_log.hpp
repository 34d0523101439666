// SPDX-License-Identifier: Apache-2.0
// What a component writes to its standard output and error: <root>/logs/<component>.log, rotated by
// size (.1 is the newest old one). Main thread only; shared by the processes of one component.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.hpp"

namespace andon::edge {

struct LogRotation {
  std::uint64_t max_bytes = 1U << 20U;
  int files_kept = 3;  // beside the current one
};

class ComponentLog {
 public:
  explicit ComponentLog(base::fs::path path, LogRotation rotation = {});

  // A full disk loses log lines, not the component: what cannot be written is dropped.
  void write(std::string_view bytes);
  // The last bytes written, for the reason of a failure.
  [[nodiscard]] const std::string& tail() const { return tail_; }
  void forget_tail() { tail_.clear(); }

 private:
  void open();
  void rotate();

  base::fs::path path_;
  LogRotation rotation_;
  base::UniqueFd file_;
  std::uint64_t size_ = 0;
  std::string tail_;
};

}  // namespace andon::edge
