// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/directory_tree.hpp"

#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {

namespace fs = base::fs;

namespace {

std::optional<std::pair<dev_t, ino_t>> place_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
  return std::pair{status.st_dev, status.st_ino};
}

}  // namespace

DirectoryTree::DirectoryTree(fs::path top, DirectoryWatcher::Knows knows,
                             std::vector<fs::path> left_out)
    : top_(std::move(top)),
      knows_(std::move(knows)),
      left_out_(std::move(left_out)),
      poll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!poll_) throw base::system_error("cannot watch a tree of directories", errno);
  branches_.emplace(top_, Branch{DirectoryWatcher(top_, knows_, DirectoryWatcher::Events::used,
                                                  DirectoryWatcher::Role::top_of_tree),
                                 {}});
  with_events_ = 1;
}

bool DirectoryTree::is_left_out(const Place& place) const {
  return std::ranges::any_of(left_out_,
                             [&](const fs::path& path) { return place_of(path) == place; });
}

void DirectoryTree::take_up(const fs::path& path, const std::vector<Place>& way) {
  if (branches_.contains(path)) return;
  const auto place = place_of(path);
  if (!place || std::ranges::find(way, *place) != way.end() || is_left_out(*place)) return;
  if (branches_.size() >= kMostDirectories || way.size() > kMostLevels) {
    if (!std::exchange(is_limit_reported_, true)) {
      base::log_error("too many directories, or too deep; this one and others are not looked into",
                      {{"directory", path.string()},
                       {"most", std::int64_t{kMostDirectories}},
                       {"levels", std::int64_t{kMostLevels}}});
    }
    return;
  }
  const bool has_events = with_events_ < kMostWithEvents;
  if (has_events) ++with_events_;
  std::vector<Place> further = way;
  further.push_back(*place);
  branches_.emplace(path, Branch{DirectoryWatcher(path, knows_,
                                                  has_events ? DirectoryWatcher::Events::used
                                                             : DirectoryWatcher::Events::unused,
                                                  DirectoryWatcher::Role::in_tree),
                                 std::move(further)});
}

void DirectoryTree::take_from(Branch& branch, base::Timestamp now, DirectoryWatcher::Scan scan,
                              std::vector<fs::path>& paths, std::vector<fs::path>& found) {
  for (fs::path& path : branch.watcher.take(now, scan)) paths.push_back(std::move(path));
  for (fs::path& path : branch.watcher.take_directories()) found.push_back(std::move(path));
  if (branch.watcher.fd() < 0) return;
  // A watcher may have a new descriptor, perhaps of the same number; one that is there already is
  // no error, and one that was closed has left by itself.
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(poll_.get(), EPOLL_CTL_ADD, branch.watcher.fd(), &event) != 0 && errno != EEXIST) {
    throw base::system_error("cannot watch " + branch.watcher.directory().string(), errno);
  }
}

std::vector<fs::path> DirectoryTree::take(base::Timestamp now, DirectoryWatcher::Scan scan) {
  std::vector<fs::path> paths;
  // Those that are found on the way come into the map, and their turn comes in the same call.
  for (auto it = branches_.begin(); it != branches_.end();) {
    std::vector<fs::path> found;
    Branch& branch = it->second;
    take_from(branch, now, scan, paths, found);
    if (it->first == top_) {
      const auto place = place_of(top_);
      branch.way = place ? std::vector<Place>{*place} : std::vector<Place>{};
    }
    for (const fs::path& path : found) take_up(path, branch.way);
    if (!branch.watcher.is_there() && it->first != top_) {
      if (branch.watcher.uses_events()) --with_events_;
      it = branches_.erase(it);
    } else {
      ++it;
    }
  }
  return paths;
}

base::Timestamp DirectoryTree::look_again_at(base::Timestamp now) const {
  base::Timestamp at = branches_.at(top_).watcher.look_again_at(now);
  for (const auto& [path, branch] : branches_) {
    at = std::min(at, branch.watcher.look_again_at(now));
  }
  return at;
}

}  // namespace andon::inspect
