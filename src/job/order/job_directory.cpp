// SPDX-License-Identifier: Apache-2.0
#include "job/order/job_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/os/process.hpp"
#include "base/os/tree_walk.hpp"

namespace andon::job {
namespace {

constexpr unsigned kPrivate = 0700;
constexpr std::size_t kMostResult = 1U << 20U;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using OpenDirectory = std::unique_ptr<DIR, CloseDirectory>;

// Names in a directory, all at once: it is changed while they are gone through.
std::vector<std::string> names_in(int directory) {
  const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) throw base::system_error("cannot open a job's directory", errno);
  const OpenDirectory open(fdopendir(again));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

// A directory without rights is to be opened and moved all the same. Where that cannot be, what
// follows says so.
void make_accessible(int directory, const std::string& name) {
  [[maybe_unused]] const int result = fchmodat(directory, name.c_str(), kPrivate, 0);
}

base::UniqueFd open_below(int directory, const std::string& name) {
  make_accessible(directory, name);
  return base::UniqueFd(
      openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool remove_file(int directory, const std::string& name) {
  return unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT;
}

bool is_directory(int directory, const std::string& name) {
  struct stat status {};
  return fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

}  // namespace

void remove_tree(const fs::path& path) {
  if (is_directory(AT_FDCWD, path)) make_accessible(AT_FDCWD, path);
  const base::UniqueFd top(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!top) {
    if (errno == ENOENT || remove_file(AT_FDCWD, path)) return;
    throw base::system_error("cannot remove '" + path.string() + "'", errno);
  }
  // Directories are brought up to the top as they come, so that no depth matters.
  std::uint64_t moved = 0;
  for (std::vector<std::string> names = names_in(top.get()); !names.empty();
       names = names_in(top.get())) {
    for (const std::string& name : names) {
      if (!is_directory(top.get(), name)) {
        if (remove_file(top.get(), name)) continue;
        throw base::system_error("cannot remove '" + (path / name).string() + "'", errno);
      }
      const base::UniqueFd below = open_below(top.get(), name);
      if (!below) throw base::system_error("cannot open '" + (path / name).string() + "'", errno);
      for (const std::string& inner : names_in(below.get())) {
        if (is_directory(below.get(), inner)) {
          make_accessible(below.get(), inner);
          std::string place;
          do {
            place = "moved-" + std::to_string(++moved);
          } while (faccessat(top.get(), place.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
          if (renameat(below.get(), inner.c_str(), top.get(), place.c_str()) == 0) continue;
        } else if (remove_file(below.get(), inner)) {
          continue;
        }
        throw base::system_error("cannot remove '" + inner + "' below '" + path.string() + "'",
                                 errno);
      }
      if (unlinkat(top.get(), name.c_str(), AT_REMOVEDIR) != 0) {
        throw base::system_error("cannot remove '" + (path / name).string() + "'", errno);
      }
    }
  }
  if (rmdir(path.c_str()) != 0) {
    throw base::system_error("cannot remove '" + path.string() + "'", errno);
  }
}

void JobDirectory::make(std::optional<uid_t> user) const {
  base::make_directories(path_, kPrivate);
  for (const fs::path& own : {work(), temporary()}) {
    remove_tree(own);
    base::make_directories(own, kPrivate);
    if (user && chown(own.c_str(), *user, static_cast<gid_t>(*user)) != 0) {
      throw base::system_error("cannot give '" + own.string() + "' to its job's user", errno);
    }
  }
  base::make_directories(root(), kPrivate);
}

void JobDirectory::write_order(const JobOrder& order) const {
  base::write_file_atomically(order_file(), to_text(order), 0600);
}

std::optional<JobOrder> JobDirectory::order() const {
  const auto text = base::read_file_if_exists(order_file());
  if (!text) return std::nullopt;
  return parse_order(*text);
}

void JobDirectory::write_result(const JobResult& result) const {
  base::write_file_atomically(path_ / "result.json", to_text(result), 0600);
}

std::optional<JobResult> JobDirectory::result() const {
  const auto text = base::read_file_if_exists(path_ / "result.json", kMostResult);
  if (!text) return std::nullopt;
  try {
    return parse_result(*text);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

bool JobDirectory::has_keeper() const {
  const base::UniqueFd fd(::open(lock_file().c_str(), O_RDWR | O_CLOEXEC));
  return fd && flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

base::UniqueFd JobDirectory::keeper() const {
  if (!has_keeper()) return {};
  const auto text = base::read_file_if_exists(keeper_file());
  if (!text) return {};
  const base::json::value document = base::parse_json(*text, "a keeper's process");
  const base::JsonReader reader(document, "");
  const auto pid = static_cast<pid_t>(reader.integer("pid"));
  base::UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  // Looked at when the process is held: the number cannot be another's any more.
  const auto ticks = base::process_start_ticks(pid);
  if (!ticks || *ticks != static_cast<std::uint64_t>(reader.integer("startTicks"))) return {};
  return process;
}

base::UniqueFd JobDirectory::open_plain(const std::string& name) const {
  base::UniqueFd file = base::open_beneath(work(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (file && (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))) {
    errno = EINVAL;
    return {};
  }
  return file;
}

base::UniqueFd JobDirectory::open_inner(const std::string& name) const {
  return base::open_beneath(work(), name, O_RDONLY | O_DIRECTORY);
}

void JobDirectory::remove_files() const {
  for (const fs::path& own : {work(), temporary(), root()}) remove_tree(own);
}

void JobDirectory::remove() const {
  remove_tree(path_);
}

}  // namespace andon::job
