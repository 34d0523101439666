// SPDX-License-Identifier: Apache-2.0
#include "edge/run/work_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

using base::UniqueFd;

constexpr unsigned kMode = 0750;
constexpr int kDeepest = 64;
constexpr std::size_t kMostEntries = 500'000;

struct CloseDirectory {
  void operator()(DIR* stream) const { closedir(stream); }
};

// Whoever owned the directory may be at work in it: each entry is opened first and then looked at
// and given away by that descriptor, so that nothing can be put in its place in between.
class Handover {
 public:
  Handover(const base::fs::path& directory, const struct stat& before, uid_t user, gid_t group)
      : directory_(directory), before_(before), user_(user), group_(group) {}

  // What is in it; the directory itself comes last, by the caller.
  void give_entries(UniqueFd directory, int depth) {
    if (depth > kDeepest)
      throw too_much("deeper than " + std::to_string(kDeepest) + " directories");
    const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(directory.get()));
    if (!stream) throw failed();
    static_cast<void>(directory.release());
    while (const dirent* entry = readdir(stream.get())) {
      const std::string_view name(entry->d_name);
      if (name == "." || name == "..") continue;
      if (++entries_ > kMostEntries) throw too_much("more than 500000 files");
      give_entry(dirfd(stream.get()), entry->d_name, depth);
    }
  }

 private:
  void give_entry(int parent, const char* name, int depth) {
    const UniqueFd entry(openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!entry || fstat(entry.get(), &status) != 0) {
      if (errno == ENOENT) return;
      throw failed();
    }
    if (status.st_uid != before_.st_uid || status.st_dev != before_.st_dev) return;
    if (S_ISDIR(status.st_mode)) {
      UniqueFd inner(openat(entry.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!inner) throw failed();
      give_entries(std::move(inner), depth + 1);
    }
    if (fchownat(entry.get(), "", user_, group_, AT_EMPTY_PATH) != 0) throw failed();
  }

  [[nodiscard]] base::Error failed() const {
    return base::system_error("cannot give " + directory_.string() + " to its user", errno);
  }
  [[nodiscard]] base::Error too_much(const std::string& what) const {
    return base::Error(base::ErrorCode::resource_exhausted,
                       "cannot give " + directory_.string() + " to its user: it has " + what +
                           "; remove what the component does not need any more");
  }

  const base::fs::path& directory_;
  const struct stat& before_;
  uid_t user_;
  gid_t group_;
  std::size_t entries_ = 0;
};

}  // namespace

void prepare_work_directory(const base::fs::path& directory, const RunAs& owner) {
  base::make_directories(directory, kMode);
  if (geteuid() != 0) return;
  const uid_t user = owner.user.value_or(0);
  const gid_t group = owner.group.value_or(0);
  UniqueFd opened = base::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  struct stat before {};
  if (fstat(opened.get(), &before) != 0) {
    throw base::system_error("cannot look at " + directory.string(), errno);
  }
  if (before.st_uid == user && before.st_gid == group) return;
  Handover(directory, before, user, group).give_entries(UniqueFd(dup(opened.get())), 1);
  // Last: where the agent is killed on the way, the next start begins again.
  if (fchown(opened.get(), user, group) != 0) {
    throw base::system_error("cannot give " + directory.string() + " to its user", errno);
  }
}

}  // namespace andon::edge
