// SPDX-License-Identifier: Apache-2.0
#include "keep/record/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace andon::keep {
namespace {

constexpr mode_t kMode = 0640;
constexpr std::uint64_t kBurstSeconds = 4;

std::int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

LogFile::LogFile(const char* path, std::uint64_t max_bytes, int files_kept,
                 std::uint64_t bytes_per_second)
    : path_(path),
      max_bytes_(max_bytes),
      files_kept_(files_kept),
      bytes_per_second_(bytes_per_second),
      allowance_(bytes_per_second * kBurstSeconds),
      allowed_at_ms_(monotonic_ms()) {}

LogFile::~LogFile() {
  if (is_leaving_out_) tell_left_out();
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

bool LogFile::has_room(std::size_t size) {
  const std::uint64_t burst = bytes_per_second_ * kBurstSeconds;
  const std::int64_t now = monotonic_ms();
  const auto elapsed = static_cast<std::uint64_t>(now - allowed_at_ms_);
  // Up to a day: no more can be gained, and nothing overflows.
  const std::uint64_t gained =
      (elapsed < 86'400'000 ? elapsed : 86'400'000) * bytes_per_second_ / 1000;
  if (gained > 0) {
    allowance_ = gained > burst - allowance_ ? burst : allowance_ + gained;
    allowed_at_ms_ = now;
  }
  // Whoever was cut off begins again with the room of a second, not with every line.
  return allowance_ >= size && (!is_leaving_out_ || allowance_ >= bytes_per_second_);
}

void LogFile::leave_out(const char* bytes, std::size_t size) {
  is_leaving_out_ = true;
  for (std::size_t i = 0; i < size; ++i) {
    if (bytes[i] == '\n') ++lines_left_out_;
  }
  if (size > 0) skips_in_line_ = bytes[size - 1] != '\n';
}

void LogFile::tell_left_out() {
  char text[128];
  const int size = std::snprintf(
      text, sizeof text, "%s[andon: %llu lines left out, beyond %llu bytes a second]\n",
      ends_in_line_ ? "\n" : "",
      static_cast<unsigned long long>(lines_left_out_ + (skips_in_line_ ? 1 : 0)),
      static_cast<unsigned long long>(bytes_per_second_));
  lines_left_out_ = 0;
  is_leaving_out_ = false;
  ends_in_line_ = false;
  append(text, static_cast<std::size_t>(size));
}

void LogFile::write(const char* bytes, std::size_t size) {
  if (bytes_per_second_ == 0) return append(bytes, size);
  if (!has_room(size)) return leave_out(bytes, size);
  if (is_leaving_out_) tell_left_out();
  if (skips_in_line_ && size > 0) {
    const void* const end = std::memchr(bytes, '\n', size);
    const std::size_t rest =
        end == nullptr ? size : static_cast<std::size_t>(static_cast<const char*>(end) - bytes) + 1;
    skips_in_line_ = end == nullptr;
    bytes += rest;
    size -= rest;
  }
  if (size == 0) return;
  allowance_ -= size;
  ends_in_line_ = bytes[size - 1] != '\n';
  append(bytes, size);
}

void LogFile::append(const char* bytes, std::size_t size) {
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
