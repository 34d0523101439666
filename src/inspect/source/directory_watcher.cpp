// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/directory_watcher.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "inspect/source/file_system.hpp"
#include "inspect/source/frame.hpp"

namespace andon::inspect {

namespace fs = base::fs;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kMostUnsettled = 10'000;
constexpr milliseconds kScanStep{5};
// Of the time, for scanning.
constexpr int kScanShare = 20;

bool is_recent(const FoundPicture& picture, base::Timestamp now) {
  const base::Timestamp modified = base::from_epoch_millis(picture.id.modified_ns / 1'000'000);
  return modified <= now && now - modified < Frame::kSettleTime;
}

}  // namespace

DirectoryWatcher::DirectoryWatcher(fs::path directory, Knows knows, Events events, Role role)
    : directory_(std::move(directory)), knows_(std::move(knows)), events_(events), role_(role) {}

std::vector<fs::path> DirectoryWatcher::take_directories() {
  return std::exchange(directories_, {});
}

void DirectoryWatcher::note_directory(const std::string& name) {
  if (role_ == Role::alone || name.starts_with('.')) return;
  std::error_code ignored;
  if (fs::is_directory(directory_ / name, ignored)) directories_.push_back(directory_ / name);
}

std::optional<DirectoryWatcher::Identity> DirectoryWatcher::identity() const {
  struct stat status {};
  if (stat(directory_.c_str(), &status) != 0) return std::nullopt;
  if (!S_ISDIR(status.st_mode)) {
    errno = ENOTDIR;
    return std::nullopt;
  }
  return Identity{status.st_dev, status.st_ino};
}

void DirectoryWatcher::report_missing(int error) {
  const bool is_gone = error == ENOENT || error == ENOTDIR;
  if (role_ == Role::in_tree && is_gone) return;
  if (!std::exchange(is_missing_reported_, true)) {
    base::log_warning("cannot watch the image directory; waiting for it",
                      {{"directory", directory_.string()}, {"reason", std::strerror(error)}});
  }
}

// False where there is no directory to watch.
bool DirectoryWatcher::watch() {
  if (events_ == Events::unused) return true;
  inotify_ = base::UniqueFd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  constexpr std::uint32_t kEvents =
      IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (inotify_ && inotify_add_watch(inotify_.get(), directory_.c_str(), kEvents) >= 0) return true;
  const int error = errno;
  const bool has_inotify = static_cast<bool>(inotify_);
  inotify_.reset();
  if (has_inotify && (error == ENOENT || error == ENOTDIR || error == EACCES)) {
    report_missing(error);
    return false;
  }
  if (!std::exchange(is_limit_reported_, true)) {  // fs.inotify.max_user_watches, ..._instances
    base::log_warning("the kernel gives no events of the image directory; looking every 2 s",
                      {{"directory", directory_.string()}, {"reason", std::strerror(error)}});
  }
  return true;
}

// Is the directory at the path the one that is watched? Else that is watched, and all of it given.
void DirectoryWatcher::look(base::Timestamp now, std::vector<fs::path>& paths) {
  look_at_ = now + kLookEvery;
  const std::optional<Identity> before = identity();
  if (before && watched_ == before) return;
  const int error = errno;
  const bool was_watched = watched_.has_value();
  inotify_.reset();
  watched_.reset();
  unsettled_.clear();
  scan_.reset();
  newest_change_ns_.reset();
  if (!before) return report_missing(error);
  if (!watch()) return;
  // Where another one came meanwhile, the next look sees that.
  watched_ = before;
  is_missing_reported_ = false;
  has_all_events_ = inotify_ && !is_on_network(directory_);
  scan_at_ = now + (has_all_events_ ? kScanEvery : kScanWithoutEventsEvery);
  if (was_watched) {
    base::log_info("there is another image directory; reading it",
                   {{"directory", directory_.string()}});
  }
  for (fs::path& path : all()) paths.push_back(std::move(path));
}

std::vector<fs::path> DirectoryWatcher::all() {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    if (is_picture_name(name) && entry->is_regular_file(ignored)) {
      paths.push_back(entry->path());
    } else if (entry->is_directory(ignored)) {
      note_directory(name);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void DirectoryWatcher::read_events(base::Timestamp now, std::vector<fs::path>& paths) {
  alignas(inotify_event) std::array<char, 16'384> buffer{};
  while (inotify_) {
    const ssize_t count = read(inotify_.get(), buffer.data(), buffer.size());
    if (count <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        base::log_warning("events of the image directory were lost; looking for what came",
                          {{"directory", directory_.string()}});
        scan_.reset();
        scan_at_ = now;
      } else if ((event.mask & (IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
        watched_.reset();  // an inode may come again
        look_at_ = now;
      } else if ((event.mask & IN_MOVE_SELF) != 0) {
        look_at_ = now;
      } else if (name.empty() || (event.mask & IN_ISDIR) != 0 || !is_picture_name(name)) {
        // A directory, or perhaps a link to one.
        if (!name.empty() && (event.mask & IN_CLOSE_WRITE) == 0) note_directory(name);
      } else if ((event.mask & IN_CREATE) != 0) {
        note_created(name, now, paths);
      } else {
        unsettled_.erase(name);
        paths.push_back(directory_ / name);
      }
    }
  }
}

// Made with its content already, by link(2), or still to be written, which the file that is there
// by now does not always tell.
void DirectoryWatcher::note_created(const std::string& name, base::Timestamp now,
                                    std::vector<fs::path>& paths) {
  struct stat status {};
  if (lstat((directory_ / name).c_str(), &status) != 0) return;
  if (S_ISLNK(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink > 1)) {
    paths.push_back(directory_ / name);
  } else if (S_ISREG(status.st_mode)) {
    wait_until_settled(name, now);
  }
}

void DirectoryWatcher::wait_until_settled(std::string name, base::Timestamp now) {
  if (unsettled_.size() < kMostUnsettled) {
    unsettled_[std::move(name)] = now + Frame::kSettleTime;
  } else {
    scan_at_ = std::min(scan_at_, now + Frame::kSettleTime);
  }
}

// What was not written for a while counts as complete.
void DirectoryWatcher::take_settled(base::Timestamp now, std::vector<fs::path>& paths) {
  for (auto it = unsettled_.begin(); it != unsettled_.end();) {
    auto& [name, due] = *it;
    if (due > now && due <= now + Frame::kSettleTime) {
      ++it;
      continue;
    }
    const auto picture = identify_picture(directory_ / name);
    if (picture && is_recent(*picture, now)) {
      due = now + Frame::kSettleTime;
      ++it;
      continue;
    }
    if (picture) paths.push_back(directory_ / name);
    it = unsettled_.erase(it);
  }
}

void DirectoryWatcher::look_at_entry(const dirent& entry, base::Timestamp now) {
  const char* name = entry.d_name;
  if (entry.d_type != DT_REG) note_directory(name);
  if (!is_picture_name(name)) return;
  const fs::path path = directory_ / name;
  const auto picture = identify_picture(path);
  if (!picture) return;
  scan_->newest_change_ns = std::max(scan_->newest_change_ns, picture->changed_ns);
  const Known known = knows_ ? knows_(picture->id) : Known::no;
  if (known == Known::yes) return;
  // Where so many are there that not all are remembered, only what is newer than the last scan.
  const bool is_newer = newest_change_ns_ && picture->changed_ns > *newest_change_ns_;
  if (known == Known::perhaps && !is_newer) return;
  if (is_recent(*picture, now)) return wait_until_settled(name, now);
  scan_->found.push_back(path);
}

// A step of it.
void DirectoryWatcher::scan(base::Timestamp now, std::vector<fs::path>& paths) {
  if (!scan_) {
    if (scan_at_ > now) return;
    scan_ = ScanState{};
    scan_->directory.reset(opendir(directory_.c_str()));
  }
  const auto start = steady_clock::now();
  while (scan_->directory != nullptr) {
    const dirent* entry = readdir(scan_->directory.get());
    if (entry == nullptr) break;
    look_at_entry(*entry, now);
    if (steady_clock::now() - start < kScanStep) continue;
    scan_->spent += steady_clock::now() - start;
    return;
  }
  scan_->spent += steady_clock::now() - start;
  end_scan(now, paths);
}

void DirectoryWatcher::end_scan(base::Timestamp now, std::vector<fs::path>& paths) {
  std::sort(scan_->found.begin(), scan_->found.end());
  for (fs::path& path : scan_->found) paths.push_back(std::move(path));
  newest_change_ns_ = scan_->newest_change_ns;
  const auto pause = std::max<steady_clock::duration>(
      has_all_events_ ? kScanEvery : kScanWithoutEventsEvery, kScanShare * scan_->spent);
  scan_at_ = now + std::chrono::duration_cast<milliseconds>(pause);
  scan_.reset();
}

std::vector<fs::path> DirectoryWatcher::take(base::Timestamp now, Scan scan) {
  if (now < last_now_) look_at_ = scan_at_ = now;  // the clock was set back
  last_now_ = now;
  std::vector<fs::path> paths;
  read_events(now, paths);
  if (look_at_ <= now) look(now, paths);
  if (!watched_) return paths;
  take_settled(now, paths);
  if (scan == Scan::allowed && paths.empty()) this->scan(now, paths);
  return paths;
}

base::Timestamp DirectoryWatcher::look_again_at(base::Timestamp now) const {
  if (scan_) return now;
  base::Timestamp at = look_at_;
  if (watched_) at = std::min(at, scan_at_);
  for (const auto& [name, due] : unsettled_) at = std::min(at, due);
  return at;
}

}  // namespace andon::inspect
