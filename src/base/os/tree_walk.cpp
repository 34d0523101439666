// SPDX-License-Identifier: Apache-2.0
#include "base/os/tree_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include "base/error/error.hpp"

namespace andon::base {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

class Walk {
 public:
  Walk(const TreeLimits& limits, const std::function<void(const TreeEntry&)>& visit)
      : limits_(limits), visit_(visit) {}

  void go(int directory, const std::string& prefix, std::size_t depth) {
    if (depth > limits_.max_depth) {
      throw Error(ErrorCode::resource_exhausted,
                  "'" + prefix.substr(0, kShown) + "' lies deeper than " +
                      std::to_string(limits_.max_depth) + " directories");
    }
    for (const std::string& name : names_in(directory)) look(directory, name, prefix + name, depth);
  }

 private:
  static constexpr std::size_t kShown = 200;

  std::vector<std::string> names_in(int directory) {
    const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0) throw system_error("cannot read a directory", errno);
    const std::unique_ptr<DIR, CloseDirectory> open(fdopendir(again));
    std::vector<std::string> names;
    while (const dirent* entry = readdir(open.get())) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++entries_ > limits_.max_entries) {
        throw Error(ErrorCode::resource_exhausted,
                    "there are more than " + std::to_string(limits_.max_entries) + " files");
      }
      names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
  }

  void look(int directory, const std::string& name, const std::string& path, std::size_t depth) {
    struct stat status {};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    TreeEntry entry{.path = path};
    if (S_ISLNK(status.st_mode)) {
      std::array<char, PATH_MAX> target;
      const ssize_t size = readlinkat(directory, name.c_str(), target.data(), target.size());
      if (size < 0) return;
      entry.kind = TreeEntry::Kind::link;
      entry.modified_s = status.st_mtim.tv_sec;
      entry.target.assign(target.data(), static_cast<std::size_t>(size));
      visit_(entry);
      return;
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return;
    const int kind = S_ISDIR(status.st_mode) ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY;
    const UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind));
    if (!fd && errno != ENOENT && errno != ELOOP && errno != ENOTDIR) {
      throw system_error("cannot open '" + path.substr(0, kShown) + "'", errno);
    }
    // Another one may lie there now.
    struct stat opened {};
    if (!fd || fstat(fd.get(), &opened) != 0 ||
        (opened.st_mode & S_IFMT) != (status.st_mode & S_IFMT)) {
      return;
    }
    entry.mode = opened.st_mode & 0777U;
    entry.modified_s = opened.st_mtim.tv_sec;
    if (S_ISDIR(opened.st_mode)) {
      entry.kind = TreeEntry::Kind::directory;
      visit_(entry);
      go(fd.get(), path + "/", depth + 1);
      return;
    }
    entry.size = static_cast<std::uint64_t>(opened.st_size);
    entry.fd = fd.get();
    visit_(entry);
  }

  const TreeLimits& limits_;
  const std::function<void(const TreeEntry&)>& visit_;
  std::uint64_t entries_ = 0;
};

}  // namespace

void walk_tree(int top, const TreeLimits& limits,
               const std::function<void(const TreeEntry&)>& visit) {
  Walk(limits, visit).go(top, "", 1);
}

UniqueFd open_beneath(const fs::path& directory, std::string_view name, int flags) {
  UniqueFd at(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t begin = 0; at && begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string segment(name.substr(begin, end - begin));
    if (segment.empty() || segment == "." || segment == "..") {
      errno = EINVAL;
      return {};
    }
    const int how = end == name.size() ? flags : O_PATH | O_DIRECTORY;
    at = UniqueFd(openat(at.get(), segment.c_str(), how | O_NOFOLLOW | O_CLOEXEC));
    begin = end + 1;
  }
  return at;
}

}  // namespace andon::base
