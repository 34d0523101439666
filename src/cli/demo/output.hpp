// SPDX-License-Identifier: Apache-2.0
// The directory that `andon demo --out` names: held by one demo at a time, and everything in it
// that a demo would replace was made by one. A file says so, in the directory itself and in its
// state/; where it is missing nothing is touched. After a crash the next demo takes over. One
// thread.
#pragma once

#include "base/os/file.hpp"

namespace andon::cli {

class DemoOutput {
 public:
  // Makes `out` if absent, and <out>/state anew. Throws failed_precondition, and changes nothing,
  // where another demo uses it or something of the demo's names was made by somebody else.
  explicit DemoOutput(const base::fs::path& out);

  [[nodiscard]] const base::fs::path& state() const { return state_; }

 private:
  base::fs::path state_;
  base::FileLock lock_;  // on the mark in `out`
};

}  // namespace andon::cli
