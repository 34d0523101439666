// SPDX-License-Identifier: Apache-2.0
// The end of a file that only grows, however large it has become: what a sink must know to go on
// where it was. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/os/file.hpp"

namespace andon::inspect {

struct FileTail {
  std::uint64_t start = 0;  // where `content` lies in the file
  std::string content;      // whole lines but the last, which a crash may have cut
  [[nodiscard]] std::uint64_t end() const { return start + content.size(); }
};

// At most the last MiB; empty where there is no such file.
[[nodiscard]] FileTail read_tail(const base::fs::path& path);

}  // namespace andon::inspect
