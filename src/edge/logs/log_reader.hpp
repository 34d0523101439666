// SPDX-License-Identifier: Apache-2.0
// Reads what a component has written from where it was read before, over rotations of its log (.1
// is the newest old file) and restarts: a place is a file, whatever its name is by then, and how
// far. What was rotated away before it was read is lost. Blocks; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/os/file.hpp"
#include "base/time/time.hpp"

namespace andon::edge {

struct LogPlace {
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;  // a new file may have the inode of one that is gone; 0: not known
  std::uint64_t offset = 0;
  bool operator==(const LogPlace&) const = default;
};

struct LogChunk {
  std::string lines;  // whole ones, with their ends; a line that is longer than a chunk is cut
  LogPlace next;      // behind them
  base::Timestamp changed;  // when the file was last written
};

// Nothing where there is nothing to read. `from`: nothing for the oldest that is there.
[[nodiscard]] std::optional<LogChunk> read_log(const base::fs::path& log,
                                               const std::optional<LogPlace>& from,
                                               std::size_t most_bytes);

// The same of one file that a component writes by itself. It begins anew where it has become
// shorter than `from` says, or is another file. `is_over`: nothing more is written to it, so that
// what is behind its last end of a line is one, too.
[[nodiscard]] std::optional<LogChunk> read_log_file(const base::UniqueFd& file,
                                                    const std::optional<LogPlace>& from,
                                                    std::size_t most_bytes, bool is_over);
// Where its first byte is. Nothing for what is no ordinary file.
[[nodiscard]] std::optional<LogPlace> begin_of(const base::UniqueFd& file);

// Removes old files, the oldest first: those that were read to their end where `read_ones`, and as
// many as `space_bytes` (0: no limit) wants for all old ones together.
void remove_old_logs(const base::fs::path& log, const std::optional<LogPlace>& read_to,
                     bool read_ones, std::uint64_t space_bytes);

}  // namespace andon::edge
