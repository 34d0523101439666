// SPDX-License-Identifier: Apache-2.0
// A log that is rotated by size (.1 is the newest old one) and may have two writers, each a process
// of its own: who finds the file renamed opens the new one. Who writes more than it may loses
// lines, which are counted in the log, once a second at most; nobody waits. Here for the keeper,
// which has the C library alone: nothing here allocates or throws. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace andon::keep {

class LogFile {
 public:
  // `path` outlives it. `bytes_per_second` on the long run, and four times that at once; 0: no cap.
  LogFile(const char* path, std::uint64_t max_bytes, int files_kept,
          std::uint64_t bytes_per_second = 0);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // A full disk loses log lines, not the component: what cannot be written is dropped. Without any
  // bytes: what is still to be told of lines left out is written, if it is time.
  void write(const char* bytes, std::size_t size);

 private:
  [[nodiscard]] bool has_room(std::size_t size);
  void leave_out(const char* bytes, std::size_t size);
  void tell_left_out();
  void append(const char* bytes, std::size_t size);
  [[nodiscard]] bool open();
  [[nodiscard]] bool is_still_there(std::uint64_t& size) const;
  void rotate();
  void close();

  const char* path_;
  std::uint64_t max_bytes_;
  int files_kept_;
  int fd_ = -1;
  std::uint64_t bytes_per_second_;
  std::uint64_t allowance_;
  std::int64_t allowed_at_ms_ = 0;
  std::uint64_t lines_left_out_ = 0;
  bool is_leaving_out_ = false;
  bool ends_in_line_ = false;   // what was written last
  bool skips_in_line_ = false;  // what was left out last
};

}  // namespace andon::keep
