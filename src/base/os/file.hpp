// SPDX-License-Identifier: Apache-2.0
// Files that survive a crash: whole-file reads with a limit, atomic fsynced writes, locks.
// Any thread. Errors are base::Error naming the path.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace andon::base {

namespace fs = std::filesystem;

// Owns a file descriptor; closes it at the end.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release();
  void reset();

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added.
[[nodiscard]] UniqueFd open_file(const fs::path& path, int flags, unsigned mode = 0600);
// Writes all of it, whatever write(2) takes at a time.
void write_all(int fd, std::string_view bytes, const fs::path& path);

// Throws not_found, or resource_exhausted where the file is larger than `max_bytes`.
[[nodiscard]] std::string read_file(const fs::path& path, std::size_t max_bytes = 64U << 20U);
// Nothing where there is no such file.
[[nodiscard]] std::optional<std::string> read_file_if_exists(const fs::path& path,
                                                             std::size_t max_bytes = 64U << 20U);

// After a crash the file has either its old or its new content: written beside it, fsynced,
// renamed, directory fsynced.
void write_file_atomically(const fs::path& path, std::string_view content, unsigned mode = 0644);
// Makes a rename or a deletion in `directory` last.
void sync_directory(const fs::path& directory);

// Also sets the mode of the last directory.
void make_directories(const fs::path& path, unsigned mode = 0755);

// An exclusive lock on a file (made if absent) for the life of the object; the kernel drops it
// when the process dies. Throws failed_precondition where another process holds it.
class FileLock {
 public:
  explicit FileLock(const fs::path& path);

 private:
  UniqueFd fd_;
};

// A fresh directory under `parent` that is removed with the object.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const fs::path& parent = fs::temp_directory_path());
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace andon::base
