// SPDX-License-Identifier: Apache-2.0
// Tells when names of files have come to mean other files: renamed over, written anew, deleted and
// made again, linked, or behind a link, a directory or a mount that was replaced anywhere on the
// way. It compares what stat(2) says of each name every kLookEvery, and at once where the kernel
// tells that something happened in a file's directory. Belongs to one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"

namespace andon::inspect {

// What a name meant at a time; two that are the same have the same content.
struct FileState {
  dev_t device = 0;
  ino_t inode = 0;
  off_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // which no writer can set
  bool operator==(const FileState&) const = default;
};

struct WatchedFile {
  base::fs::path path;
  std::optional<FileState> state;  // nothing: there is no such file
  bool operator==(const WatchedFile&) const = default;
};

[[nodiscard]] WatchedFile file_now(base::fs::path path);

class FileWatch {
 public:
  // `files` as they were when they were read; of the first nothing is told while it is missing.
  void watch(std::vector<WatchedFile> files);
  [[nodiscard]] const std::vector<WatchedFile>& files() const { return files_; }

  // True once for each change, when it is complete: the same for kLookEvery, or at once where a
  // single file was closed after writing or renamed into place.
  [[nodiscard]] bool take(base::Timestamp now);

  // Readable when take() should look; -1 where only look_again_at() says.
  [[nodiscard]] int fd() const { return inotify_.get(); }
  [[nodiscard]] base::Timestamp look_again_at() const { return look_at_; }

  static constexpr std::chrono::milliseconds kLookEvery{1'000};

 private:
  enum class Event { none, something, complete };
  [[nodiscard]] Event read_events();
  [[nodiscard]] std::vector<WatchedFile> now() const;
  void watch_folders();

  std::vector<WatchedFile> files_;
  std::optional<std::vector<WatchedFile>> changed_;  // seen, and not yet known to be complete
  std::vector<WatchedFile> folders_;
  base::UniqueFd inotify_;
  base::Timestamp last_now_{};
  base::Timestamp look_at_{};
};

}  // namespace andon::inspect
