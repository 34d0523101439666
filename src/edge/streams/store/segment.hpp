// SPDX-License-Identifier: Apache-2.0
// A piece of a stream: records one after another, in a file or in memory, of which only the last
// piece of a stream still grows. A record is a frame of store/records/frame.hpp with
//   u64 sequence number | i64 time of ingestion, ms since the epoch | payload     (little endian)
// in it, so that damage costs the records that it touches and no others: a reader looks for the
// next whole record. The file's name is the first sequence number. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/os/file.hpp"

namespace andon::edge {

namespace fs = base::fs;

struct StreamRecord {
  std::int64_t sequence = 0;
  std::int64_t ingest_ms = 0;
  std::string_view payload;
};

class Segment {
 public:
  // Beside its payload.
  static constexpr std::size_t kRecordOverhead = 28;

  // A fresh one; made on the disk with the first record. An empty directory: in memory.
  Segment(const fs::path& directory, std::int64_t first);
  // One that is on the disk and does not grow any more. `next`: the first number of what follows.
  static Segment closed(const fs::path& file, std::int64_t first, std::int64_t next);
  // The last one of a stream: it is read through, and what a crash has left of a record at its end
  // is cut off.
  static Segment last(const fs::path& file, std::int64_t first);

  // Nothing for a file of another name.
  [[nodiscard]] static std::int64_t first_of_name(const fs::path& file);  // -1: of another name

  // Throws base::Error; the segment is then as before.
  void append(const StreamRecord& record);
  // What was appended outlives the machine's end.
  void sync();
  // Closes the file; append() opens it again.
  void close_file() { file_.reset(); }
  // Takes it off the disk.
  void remove();

  // Visits whole records from `offset` on until `visit` says no; gives the offset behind the last
  // that it was given. Throws base::Error where the file cannot be read.
  using Visit = std::function<bool(const StreamRecord& record, std::uint64_t offset)>;
  void read(std::uint64_t offset, const Visit& visit) const;

  [[nodiscard]] std::int64_t first() const { return first_; }
  [[nodiscard]] std::int64_t next() const { return next_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t payload_bytes() const { return payload_bytes_; }
  [[nodiscard]] std::int64_t oldest_ms() const { return oldest_ms_; }
  [[nodiscard]] std::int64_t newest_ms() const { return newest_ms_; }
  [[nodiscard]] bool is_empty() const { return bytes_ == 0; }
  [[nodiscard]] bool was_cut() const { return was_cut_; }

 private:
  [[nodiscard]] std::string load(int fd, std::uint64_t offset, std::uint64_t size) const;
  void open_file();
  void scan();

  fs::path file_path_;  // empty: in memory
  base::UniqueFd file_;
  std::string memory_;
  std::string frame_;  // of append(), kept for its memory
  std::int64_t first_ = 0;
  std::int64_t next_ = 0;
  std::uint64_t bytes_ = 0;  // up to the end of the last whole record
  std::int64_t payload_bytes_ = 0;
  std::int64_t oldest_ms_ = 0;
  std::int64_t newest_ms_ = 0;
  bool was_cut_ = false;
};

}  // namespace andon::edge
