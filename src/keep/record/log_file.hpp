// SPDX-License-Identifier: Apache-2.0
// A log that is rotated by size (.1 is the newest old one) and may have two writers, each a process
// of its own: who finds the file renamed opens the new one. Here for the keeper, which has the C
// library alone: nothing here allocates or throws. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace andon::keep {

class LogFile {
 public:
  // `path` outlives it.
  LogFile(const char* path, std::uint64_t max_bytes, int files_kept);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // A full disk loses log lines, not the component: what cannot be written is dropped.
  void write(const char* bytes, std::size_t size);

 private:
  [[nodiscard]] bool open();
  [[nodiscard]] bool is_still_there(std::uint64_t& size) const;
  void rotate();
  void close();

  const char* path_;
  std::uint64_t max_bytes_;
  int files_kept_;
  int fd_ = -1;
};

}  // namespace andon::keep
