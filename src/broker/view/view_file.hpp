// SPDX-License-Identifier: Apache-2.0
// The file of the view (view.hpp). The server writes it (ViewWriter), the broker follows it
// (ViewFollower). Nothing is synced: after a power cut the server writes a new one before it starts
// its broker, and a line that is cut short is not taken.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/os/file.hpp"
#include "broker/view/view.hpp"

namespace andon::broker {

// Not thread-safe.
class ViewWriter {
 public:
  // Replaces the file by one with these changes alone; readable by its owner only. Throws
  // unavailable where it cannot be written.
  ViewWriter(base::fs::path path, std::span<const Change> all);
  void append(std::span<const Change> changes);
  // So many changes were appended that a new file would be much shorter.
  [[nodiscard]] bool is_due_for_a_new_one() const;

 private:
  base::fs::path path_;
  std::size_t first_lines_;
  std::size_t appended_lines_ = 0;
};

// Not thread-safe; never blocks for more than reading a local file.
class ViewFollower {
 public:
  explicit ViewFollower(base::fs::path path) : path_(std::move(path)) {}

  struct Update {
    bool is_new_view = false;  // what was known before is void: apply to an empty View
    std::vector<Change> changes;
    std::string problem;  // what could not be read and why, the first time; else empty
  };
  // What came since the last call. A file that is away changes nothing, and a new file with a line
  // that cannot be read does not take the place of the view that holds; in a line appended later
  // only that line is lost.
  [[nodiscard]] Update read();

 private:
  base::fs::path path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::uint64_t offset_ = 0;  // of the first byte not yet taken
  std::string last_problem_;
};

}  // namespace andon::broker
