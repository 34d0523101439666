// SPDX-License-Identifier: Apache-2.0
// Pictures of a directory and of all directories below it (--recursive), each watched as
// DirectoryWatcher does it. Directories that come are taken up, those that go are forgotten. Links
// to directories are followed, unless they lead back to where they came from; hidden ones are left
// out, and so is what the program itself writes. Belongs to one thread.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "inspect/source/directory_watcher.hpp"

namespace andon::inspect {

class DirectoryTree {
 public:
  // `left_out`: directories that are not looked into, wherever they lie.
  explicit DirectoryTree(base::fs::path top, DirectoryWatcher::Knows knows = {},
                         std::vector<base::fs::path> left_out = {});

  // As those of DirectoryWatcher.
  [[nodiscard]] std::vector<base::fs::path> take(
      base::Timestamp now, DirectoryWatcher::Scan scan = DirectoryWatcher::Scan::allowed);
  [[nodiscard]] int fd() const { return poll_.get(); }
  [[nodiscard]] base::Timestamp look_again_at(base::Timestamp now) const;

  // Directories that the kernel tells of: it gives a user only so many. The others are scanned.
  static constexpr std::size_t kMostWithEvents = 64;
  // More directories, and levels of them, are told in the log and not looked into.
  static constexpr std::size_t kMostDirectories = 10'000;
  static constexpr std::size_t kMostLevels = 64;

 private:
  // Device and inode: a directory, whatever its name.
  using Place = std::pair<dev_t, ino_t>;
  struct Branch {
    DirectoryWatcher watcher;
    std::vector<Place> way;  // from the top to this one
  };

  void take_up(const base::fs::path& path, const std::vector<Place>& way);
  void take_from(Branch& branch, base::Timestamp now, DirectoryWatcher::Scan scan,
                 std::vector<base::fs::path>& paths, std::vector<base::fs::path>& found);
  [[nodiscard]] bool is_left_out(const Place& place) const;

  base::fs::path top_;
  DirectoryWatcher::Knows knows_;
  std::vector<base::fs::path> left_out_;
  base::UniqueFd poll_;  // readable where one of them is
  std::map<base::fs::path, Branch> branches_;
  std::size_t with_events_ = 0;
  bool is_limit_reported_ = false;
};

}  // namespace andon::inspect
