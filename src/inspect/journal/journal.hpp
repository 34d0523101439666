// SPDX-License-Identifier: Apache-2.0
// This room is the journal: which pictures have their result, and the results that are not
// published yet. A result is on disk before it is published, so that after a crash the same message
// is sent again, not another one, and no picture is inspected twice by one model. Belongs to one
// thread; one process at a time (a lock).
//
// Memory and file are bounded at any rate of new names, for ever: pictures whose files are gone are
// forgotten, and of those that are there the oldest, from SeenPictures::kGeneration on.
// The records are in a store::RecordFile; what they say is in journal.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "inspect/journal/picture_id.hpp"
#include "inspect/journal/seen_pictures.hpp"
#include "store/records/record_file.hpp"

namespace andon::inspect {

struct JournalLimits {
  std::size_t generation = SeenPictures::kGeneration;
  std::uint64_t file_bytes = 512U << 20U;  // and what is pending, which is little
  std::uint64_t growth_bytes = 8U << 20U;  // that is not worth rewriting the file for
};

// How a picture was looked at.
struct Look {
  std::uint32_t content = 0;  // digest_of what was read; 0: nothing
  std::string model;          // its SHA-256, or a part of it
};

class Journal {
 public:
  // Opens or makes `directory`/results.journal. Pictures whose files are gone are forgotten, and
  // those whose result is of another model than `model` (its SHA-256; empty: whichever it was).
  // Results that are not published stay.
  explicit Journal(const base::fs::path& directory, const JournalLimits& limits = {},
                   std::string model = {});

  [[nodiscard]] Known knows(const PictureId& picture) const {
    return seen_.knows(SeenPictures::key(picture));
  }
  [[nodiscard]] bool has(const PictureId& picture) const { return knows(picture) == Known::yes; }
  // For what knows() calls if_same: true where `content` (digest_of) is what was looked at. It is
  // known from now on, as it is now.
  [[nodiscard]] bool recognise(const PictureId& picture, std::uint32_t content);
  // The same, but `perhaps` where there were more pictures than can be remembered.
  [[nodiscard]] Known remembers(const PictureId& picture) const {
    const Known known = knows(picture);
    return known == Known::no && has_forgotten() ? Known::perhaps : known;
  }
  [[nodiscard]] bool has_forgotten() const { return has_forgotten_ || seen_.has_forgotten(); }

  // What was recorded and not yet published, in order; there is at most a handful.
  struct Pending {
    std::optional<PictureId> picture;
    Look look;
    std::string message;
  };
  [[nodiscard]] const std::map<std::uint64_t, Pending>& pending() const { return pending_; }

  // On disk when it returns. Gives the number under which it is pending. Without a picture (a live
  // camera's) only the message is kept, until it is published. Throws where the disk is full; the
  // journal is then as before.
  std::uint64_t record(const std::optional<PictureId>& picture, std::string message,
                       Look look = {});
  // Need not last: published again, the message is the same.
  void set_published(std::uint64_t number);

  [[nodiscard]] std::uint64_t file_bytes() const { return records_.bytes(); }
  [[nodiscard]] std::size_t remembered() const { return seen_.size(); }

 private:
  [[nodiscard]] store::RecordFile open();
  void load(std::string_view text);
  [[nodiscard]] bool counts(const Look& look) const;
  void count(const Look& look);
  void compact_if_large();
  void compact(std::chrono::milliseconds patience);
  void rewrite(std::chrono::milliseconds patience);

  JournalLimits limits_;
  std::string model_;                // as in the records
  std::vector<std::string> models_;  // it, and those that looked since
  base::fs::path path_;
  base::FileLock lock_;
  SeenPictures seen_;
  bool has_forgotten_ = false;
  std::map<std::uint64_t, Pending> pending_;  // by number
  std::uint64_t last_number_ = 0;
  store::RecordFile records_;
  std::uint64_t compact_at_bytes_ = 0;
};

}  // namespace andon::inspect
