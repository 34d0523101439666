// SPDX-License-Identifier: Apache-2.0
// Which pictures have their result, and the results that are not published yet. A result is on
// disk before it is published, so that after a crash the same message is sent again, not another
// one, and no picture is inspected twice. Belongs to one thread; one process at a time (a lock).
//
// File format: docs in journal.cpp. A torn last record, which a crash may leave, is dropped.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "base/file.hpp"

namespace andon::inspect {

// One version of one file: a file that is written anew is another picture.
struct PictureId {
  std::string path;
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const PictureId&) const = default;
};

class Journal {
 public:
  // Opens or makes `directory`/results.journal. Pictures whose files are gone are forgotten.
  explicit Journal(const base::fs::path& directory);

  [[nodiscard]] bool has(const PictureId& picture) const;

  // What was recorded and not yet published, in order; there is at most a handful.
  struct Pending {
    PictureId picture;
    std::string message;
  };
  [[nodiscard]] const std::map<std::uint64_t, Pending>& pending() const { return pending_; }

  // On disk when it returns. Gives the number under which it is pending. Throws where the disk is
  // full; the journal is then as before.
  std::uint64_t record(const PictureId& picture, std::string message);
  // Need not last: published again, the message is the same.
  void set_published(std::uint64_t number);

 private:
  void load();
  void append(const std::string& line);
  void compact();

  base::fs::path path_;
  base::FileLock lock_;
  base::UniqueFd file_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t compacted_bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::string, std::pair<std::int64_t, std::int64_t>> seen_;  // by path
  std::map<std::uint64_t, Pending> pending_;                                     // by number
};

}  // namespace andon::inspect
