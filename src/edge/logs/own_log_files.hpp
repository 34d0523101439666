// SPDX-License-Identifier: Apache-2.0
// Log files that a component writes by itself, in a directory that LogManager's configuration
// names. Looked at, read and removed with the rights of the components' user. Blocks; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "edge/logs/log_reader.hpp"
#include "edge/logs/log_settings.hpp"

namespace andon::edge {

struct OwnLogFile {
  base::fs::path path;
  base::UniqueFd file;
  LogPlace begin;  // its first byte
  std::uint64_t size = 0;
  base::Timestamp changed;
  // There is a newer one, and nothing was written to this for ten minutes.
  bool is_over = false;
};

// Those that the rule means, the oldest first; of more than 100 the newest. Throws base::Error
// where the directory cannot be read; empty where there is none.
[[nodiscard]] std::vector<OwnLogFile> open_own_logs(const LogRule& rule, const std::string& user,
                                                    base::Timestamp now);

// Removes the oldest, but never the newest: as many as the rule's space wants, and with
// rule.deletes those that are over and were `read` (of the files' length) to their end.
void remove_own_logs(const LogRule& rule, const std::string& user,
                     const std::vector<OwnLogFile>& files, const std::vector<std::uint64_t>& read);

}  // namespace andon::edge
