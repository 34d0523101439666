// SPDX-License-Identifier: Apache-2.0
// What a job has written to its standard output and error. The newest part is kept: two files, each
// of half of what may be kept, of which the older one goes when the newer one is full. A byte is
// named by its place in all that was ever written, so that a reader can go on where it was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"

namespace andon::job {

// The keeper's side. A full disk loses output, not the job.
class LogWriter {
 public:
  LogWriter(base::fs::path directory, std::uint64_t most_bytes);

  void write(std::string_view bytes);
  [[nodiscard]] std::uint64_t written() const { return next_; }

 private:
  void begin_file();

  const base::fs::path directory_;
  const std::uint64_t file_bytes_;
  base::UniqueFd file_;
  std::uint64_t begin_ = 0;     // of the file
  std::uint64_t previous_ = 0;  // of the file before it
  bool has_previous_ = false;
  std::uint64_t next_ = 0;
};

struct LogPart {
  std::uint64_t from = 0;  // later than asked for where the older part is gone
  std::string bytes;
};
// At most `most_bytes` from byte `from` on, as far as it is written; any process, any time.
[[nodiscard]] LogPart read_log(const base::fs::path& directory, std::uint64_t from,
                               std::size_t most_bytes);
// Whole lines as they come, for whoever passes them on. Where it was is in the file "followed"
// beside the log, so that the next one goes on there: what was taken just before a crash may come
// twice. One thread at a time.
class LogFollower {
 public:
  explicit LogFollower(base::fs::path directory);

  // At most about `most_bytes` of them. Once the job is over its last line needs no end.
  enum class Job { runs, is_over };
  [[nodiscard]] std::vector<std::string> take(std::size_t most_bytes, Job job);

 private:
  void remember() const;

  const base::fs::path directory_;
  std::uint64_t next_ = 0;
  std::string rest_;  // a line whose end has not come
};

// How many bytes have been written in all.
[[nodiscard]] std::uint64_t log_end(const base::fs::path& directory);

}  // namespace andon::job
