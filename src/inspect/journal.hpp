// SPDX-License-Identifier: Apache-2.0
// Which pictures have their result, and the results that are not published yet. A result is on
// disk before it is published, so that after a crash the same message is sent again, not another
// one, and no picture is inspected twice. Belongs to one thread; one process at a time (a lock).
//
// File format: docs in journal.cpp. A torn last record, which a crash may leave, is dropped.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/file.hpp"

namespace andon::inspect {

// One version of one file: a file that is written anew is another picture. Of a video's frames the
// journal keeps the last, since they are recorded in order.
struct PictureId {
  std::string path;
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::optional<std::int64_t> frame = std::nullopt;  // of a video, from 0
  bool operator==(const PictureId&) const = default;
};

class Journal {
 public:
  // Opens or makes `directory`/results.journal. Pictures whose files are gone are forgotten.
  explicit Journal(const base::fs::path& directory);

  [[nodiscard]] bool has(const PictureId& picture) const;

  // What was recorded and not yet published, in order; there is at most a handful.
  struct Pending {
    std::optional<PictureId> picture;
    std::string message;
  };
  [[nodiscard]] const std::map<std::uint64_t, Pending>& pending() const { return pending_; }

  // On disk when it returns. Gives the number under which it is pending. Without a picture (a live
  // camera's) only the message is kept, until it is published. Throws where the disk is full; the
  // journal is then as before.
  std::uint64_t record(const std::optional<PictureId>& picture, std::string message);
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
  void note(const PictureId& picture);

  struct Seen {
    std::int64_t bytes = 0;
    std::int64_t modified_ns = 0;
    std::optional<std::int64_t> frame;
  };
  std::unordered_map<std::string, Seen> seen_;  // by path
  std::map<std::uint64_t, Pending> pending_;    // by number
};

}  // namespace andon::inspect
