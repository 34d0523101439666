// SPDX-License-Identifier: Apache-2.0
#include "keep/record/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

namespace andon::keep {
namespace {

constexpr mode_t kMode = 0640;

}  // namespace

LogFile::LogFile(const char* path, std::uint64_t max_bytes, int files_kept)
    : path_(path), max_bytes_(max_bytes), files_kept_(files_kept) {}

LogFile::~LogFile() {
  close();
}

void LogFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool LogFile::open() {
  fd_ = ::open(path_, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
  return fd_ >= 0;
}

bool LogFile::is_still_there(std::uint64_t& size) const {
  struct stat own {};
  struct stat named {};
  if (fstat(fd_, &own) != 0 || stat(path_, &named) != 0) return false;
  size = static_cast<std::uint64_t>(named.st_size);
  return own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

void LogFile::rotate() {
  close();
  char from[PATH_MAX + 16];
  char to[PATH_MAX + 16];
  for (int number = files_kept_; number >= 1; --number) {
    std::snprintf(to, sizeof to, "%s.%d", path_, number);
    if (number == 1) {
      rename(path_, to);
      return;
    }
    std::snprintf(from, sizeof from, "%s.%d", path_, number - 1);
    rename(from, to);
  }
}

void LogFile::write(const char* bytes, std::size_t size) {
  std::uint64_t there = 0;
  if (fd_ >= 0 && !is_still_there(there)) close();
  if (fd_ < 0 && (!open() || !is_still_there(there))) return close();
  if (there > 0 && there + size > max_bytes_) {
    rotate();
    if (!open()) return;
  }
  while (size > 0) {
    const ssize_t written = ::write(fd_, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return close();
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace andon::keep
