// SPDX-License-Identifier: Apache-2.0
// Pictures (is_picture_name) of a directory: those that are there, in order of their names, then
// each new one when it is complete. The path is watched, not the directory that it meant at the
// start: links on the way, mounts and directories may be replaced, and are followed within
// kLookEvery. Belongs to one thread. It remembers nothing over a restart: the journal knows what
// was done.
//
// The kernel's events (inotify) tell at once what was closed after writing, renamed or linked into
// the directory. What it does not tell (events that were lost, other machines' files on a
// network's disk, a link whose file is replaced elsewhere) slow scans find, which compare all that
// is there with what is known; they take a small share of the time, however many pictures there
// are.
#pragma once

#include <dirent.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "inspect/journal/seen_pictures.hpp"

namespace andon::inspect {

class DirectoryWatcher {
 public:
  // What has its result, for the scans. None: they give everything.
  using Knows = std::function<Known(const PictureId&)>;
  enum class Events { used, unused };  // unused: as where there are none
  // Of a tree of directories (DirectoryTree) the directories in it are noted, and one that is below
  // another may be missing without a word.
  enum class Role { alone, top_of_tree, in_tree };

  explicit DirectoryWatcher(base::fs::path directory, Knows knows = {},
                            Events events = Events::used, Role role = Role::alone);

  [[nodiscard]] const base::fs::path& directory() const { return directory_; }
  [[nodiscard]] bool uses_events() const { return events_ == Events::used; }
  // There was a directory at the path when it was last looked for.
  [[nodiscard]] bool is_there() const { return watched_.has_value(); }
  // Directories that were seen in it since the last call, links to them too; a path may come again.
  [[nodiscard]] std::vector<base::fs::path> take_directories();

  // What has come since the last call; never blocks. The first call gives all that is there, and
  // so does one that finds another directory at the path, so a path may be given more than once.
  // Empty while the directory is missing. Scans go on only where they may: not while there is
  // enough to do.
  enum class Scan { allowed, not_now };
  [[nodiscard]] std::vector<base::fs::path> take(base::Timestamp now, Scan scan = Scan::allowed);

  // Readable when take() has something; -1 where only look_again_at() says.
  [[nodiscard]] int fd() const { return inotify_.get(); }
  [[nodiscard]] base::Timestamp look_again_at(base::Timestamp now) const;

  static constexpr std::chrono::milliseconds kLookEvery{1'000};
  // Where events tell of everything but what they cannot, and where they do not.
  static constexpr std::chrono::milliseconds kScanEvery{30'000};
  static constexpr std::chrono::milliseconds kScanWithoutEventsEvery{2'000};

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const Identity&) const = default;
  };
  struct DirectoryCloser {
    void operator()(DIR* directory) const { closedir(directory); }
  };
  // A scan on its way.
  struct ScanState {
    std::unique_ptr<DIR, DirectoryCloser> directory;
    std::vector<base::fs::path> found;
    std::int64_t newest_change_ns = 0;
    std::chrono::steady_clock::duration spent{};
  };

  [[nodiscard]] std::optional<Identity> identity() const;
  void look(base::Timestamp now, std::vector<base::fs::path>& paths);
  void report_missing(int error);
  [[nodiscard]] bool watch();
  [[nodiscard]] std::vector<base::fs::path> all();
  void note_directory(const std::string& name);
  void read_events(base::Timestamp now, std::vector<base::fs::path>& paths);
  void note_created(const std::string& name, base::Timestamp now,
                    std::vector<base::fs::path>& paths);
  void take_settled(base::Timestamp now, std::vector<base::fs::path>& paths);
  void wait_until_settled(std::string name, base::Timestamp now);
  void scan(base::Timestamp now, std::vector<base::fs::path>& paths);
  void look_at_entry(const dirent& entry, base::Timestamp now);
  void end_scan(base::Timestamp now, std::vector<base::fs::path>& paths);

  base::fs::path directory_;
  Knows knows_;
  Events events_;
  Role role_;
  std::vector<base::fs::path> directories_;
  base::UniqueFd inotify_;
  std::optional<Identity> watched_;
  bool has_all_events_ = false;
  bool is_missing_reported_ = false;
  bool is_limit_reported_ = false;
  base::Timestamp last_now_{};
  base::Timestamp look_at_{};
  base::Timestamp scan_at_{};
  std::map<std::string, base::Timestamp> unsettled_;  // names, and when to look at them
  std::optional<ScanState> scan_;
  std::optional<std::int64_t> newest_change_ns_;  // of the scan before
};

}  // namespace andon::inspect
