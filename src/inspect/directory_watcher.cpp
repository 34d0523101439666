// SPDX-License-Identifier: Apache-2.0
#include "inspect/directory_watcher.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "inspect/frame.hpp"

namespace andon::inspect {

namespace fs = base::fs;

DirectoryWatcher::DirectoryWatcher(fs::path directory) : directory_(std::move(directory)) {}

bool DirectoryWatcher::watch() {
  base::UniqueFd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) throw base::system_error("cannot watch directories (inotify)", errno);
  constexpr std::uint32_t kEvents =
      IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (inotify_add_watch(inotify.get(), directory_.c_str(), kEvents) < 0) {
    if (!is_missing_reported_) {
      base::log_warning("cannot watch the image directory; waiting for it",
                        {{"directory", directory_.string()}, {"reason", std::strerror(errno)}});
    }
    is_missing_reported_ = true;
    return false;
  }
  inotify_ = std::move(inotify);
  is_missing_reported_ = false;
  return true;
}

std::vector<fs::path> DirectoryWatcher::all() const {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (is_picture_name(entry->path().filename().string()) && entry->is_regular_file(ignored)) {
      paths.push_back(entry->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<fs::path> DirectoryWatcher::take() {
  if (!inotify_) return watch() ? all() : std::vector<fs::path>{};
  std::vector<fs::path> paths;
  alignas(inotify_event) std::array<char, 16'384> buffer{};
  while (true) {
    const ssize_t count = read(inotify_.get(), buffer.data(), buffer.size());
    if (count <= 0) return paths;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        base::log_warning("events of the image directory were lost; reading it anew",
                          {{"directory", directory_.string()}});
        return all();
      }
      if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
        inotify_.reset();
        return paths;
      }
      if (event.len > 0 && is_picture_name(name)) paths.push_back(directory_ / name);
    }
  }
}

}  // namespace andon::inspect
