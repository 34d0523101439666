// SPDX-License-Identifier: Apache-2.0
// This room is the one durable file of records, under every journal and spool: what was appended
// and synced is there after a crash, in order, each record whole or not at all. What the records
// mean is their owner's business; their form is frame.hpp's.
//
// A crash may tear the end of the file: it is cut off when the file is opened. Damage elsewhere (a
// bad disk) costs the records that it touches and no others; it is logged. Reading takes memory for
// one record, however large the file is. The file is bounded: an owner rewrites it with what is
// still worth keeping when has_outgrown() says so.
//
// Belongs to one thread, and to one process at a time (its owner holds a base::FileLock).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/os/file.hpp"

namespace andon::store {

class RecordFile {
 public:
  struct Limits {
    std::size_t record_bytes = 64U << 20U;
    std::uint64_t file_bytes = 1U << 30U;  // append() refuses more; a larger file is still read
  };
  using Visit = std::function<void(std::string_view record)>;

  // Opens the file, or makes it, and gives each record to `visit`. Throws data_corrupted where the
  // file is something else.
  RecordFile(base::fs::path path, Limits limits, const Visit& visit);

  // False where there is no such file, or one of another form.
  [[nodiscard]] static bool is_record_file(const base::fs::path& path);

  // Survives the death of the process at once, and that of the machine after sync(). Throws
  // resource_exhausted where a limit is reached or the disk is full; the file is then as before.
  void append(std::string_view record);
  void sync();
  // Both; where syncing fails the record is taken back.
  void append_synced(std::string_view record);

  // Each record, from the first. `visit` may not change the file.
  void read(const Visit& visit) const;

  // Adds records to the file that takes the place of this one.
  class Writer {
   public:
    void add(std::string_view record);

   private:
    friend class RecordFile;
    Writer(int fd, const base::fs::path& path, std::size_t most_record_bytes);
    void flush();

    int fd_;
    const base::fs::path& path_;
    std::size_t most_record_bytes_;
    std::string buffer_;
  };
  using Fill = std::function<void(Writer&)>;
  // Replaces all records by those that `fill` adds; meanwhile the old ones can be read(). A crash
  // leaves the old file or the new one. Throws what `fill` throws; the file is then as before.
  void rewrite(const Fill& fill);
  // The same where there is no record file yet, or one of another form.
  static void write(const base::fs::path& path, const Limits& limits, const Fill& fill);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // More than twice what it was when it was opened or rewritten, and `slack` more.
  [[nodiscard]] bool has_outgrown(std::uint64_t slack) const {
    return bytes_ > 2 * bytes_at_first_ + slack;
  }

 private:
  struct Scan {
    std::uint64_t end = 0;      // of the last whole record
    std::uint64_t damaged = 0;  // places between whole records
  };
  Scan scan(const Visit& visit, std::uint64_t size) const;
  void take_back(std::uint64_t bytes);

  base::fs::path path_;
  Limits limits_;
  base::UniqueFd file_;
  std::string buffer_;       // of append()
  std::uint64_t bytes_ = 0;  // up to the end of the last record
  std::uint64_t bytes_at_first_ = 0;
};

}  // namespace andon::store
