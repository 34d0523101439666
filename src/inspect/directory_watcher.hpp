// SPDX-License-Identifier: Apache-2.0
// Pictures (vision::is_image_name) that appear in a directory: those that are there, in order of
// their names, then each new one when it is complete (closed after writing, or renamed into place).
// Belongs to one thread. It remembers nothing over a restart: the journal knows what was done.
#pragma once

#include <vector>

#include "base/file.hpp"

namespace andon::inspect {

class DirectoryWatcher {
 public:
  explicit DirectoryWatcher(base::fs::path directory);

  [[nodiscard]] const base::fs::path& directory() const { return directory_; }

  // What has come since the last call; never blocks. The first call gives all that is there, and
  // so does the first one after the directory was missing or after events were lost, so a path may
  // be given more than once. Empty while the directory is missing.
  [[nodiscard]] std::vector<base::fs::path> take();

  // Readable when take() has something; -1 while the directory is missing: try take() again after
  // a while.
  [[nodiscard]] int fd() const { return inotify_.get(); }

 private:
  [[nodiscard]] bool watch();
  [[nodiscard]] std::vector<base::fs::path> all() const;

  base::fs::path directory_;
  base::UniqueFd inotify_;
  bool is_missing_reported_ = false;
};

}  // namespace andon::inspect
