// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/file_watch.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace andon::inspect {

namespace fs = base::fs;

namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

fs::path folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

// Of a folder: which one it is, not what is in it.
WatchedFile folder_now(fs::path path) {
  WatchedFile folder = file_now(std::move(path));
  if (folder.state) {
    folder.state = FileState{.device = folder.state->device, .inode = folder.state->inode};
  }
  return folder;
}

bool are_one(const std::vector<WatchedFile>& files) {
  return std::ranges::count_if(files, [](const auto& file) { return file.state.has_value(); }) <= 1;
}

}  // namespace

WatchedFile file_now(fs::path path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {std::move(path), std::nullopt};
  return {std::move(path), FileState{status.st_dev, status.st_ino, status.st_size,
                                     nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)}};
}

void FileWatch::watch(std::vector<WatchedFile> files) {
  files_ = std::move(files);
  changed_.reset();
  folders_.clear();
  for (const WatchedFile& file : files_) {
    const fs::path folder = folder_of(file.path);
    const bool is_there = std::ranges::any_of(
        folders_, [&](const WatchedFile& other) { return other.path == folder; });
    if (!is_there) folders_.push_back({folder, std::nullopt});
  }
  watch_folders();
  look_at_ = {};
}

// Where the kernel gives no events, the looks remain.
void FileWatch::watch_folders() {
  inotify_ = base::UniqueFd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                    IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  for (WatchedFile& folder : folders_) {
    folder = folder_now(folder.path);
    if (inotify_ && folder.state) {
      (void)inotify_add_watch(inotify_.get(), folder.path.c_str(), kEvents);
    }
  }
}

FileWatch::Event FileWatch::read_events() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  Event result = Event::none;
  while (true) {
    const ssize_t count = inotify_ ? read(inotify_.get(), buffer.data(), buffer.size()) : -1;
    if (count <= 0) return result;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      const bool is_ours = event.len > 0 && std::ranges::any_of(files_, [&](const auto& file) {
                             return file.path.filename() == name;
                           });
      const bool is_complete = is_ours && (event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0;
      result = std::max(result, is_complete ? Event::complete : Event::something);
      // A folder that is gone may come again with its inode.
      if ((event.mask & (IN_IGNORED | IN_UNMOUNT)) != 0) folders_.front().state.reset();
      at += sizeof event + event.len;
    }
  }
}

std::vector<WatchedFile> FileWatch::now() const {
  std::vector<WatchedFile> files;
  for (const WatchedFile& file : files_) files.push_back(file_now(file.path));
  return files;
}

bool FileWatch::take(base::Timestamp time) {
  if (files_.empty()) return false;
  if (time < last_now_) look_at_ = time;  // the clock was set back
  last_now_ = time;
  const Event event = read_events();
  const bool is_due = look_at_ <= time;
  if (event == Event::none && !is_due) return false;
  if (is_due) {
    look_at_ = time + kLookEvery;
    const bool is_same = std::ranges::all_of(
        folders_, [](const WatchedFile& folder) { return folder_now(folder.path) == folder; });
    if (!is_same) watch_folders();
  }
  std::vector<WatchedFile> files = now();
  if (files == files_) {
    changed_.reset();
    return false;
  }
  if (!files.front().state) return false;
  // Files that belong together come one after another.
  const bool is_whole = event == Event::complete && are_one(files_) && are_one(files);
  const bool has_settled = is_due && changed_ == files;
  if (!is_whole && !has_settled) {
    // An event between two looks does not put off the second.
    if (is_due || changed_ != files) {
      changed_ = std::move(files);
      look_at_ = time + kLookEvery;
    }
    return false;
  }
  files_ = std::move(files);
  changed_.reset();
  return true;
}

}  // namespace andon::inspect
