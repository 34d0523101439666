// SPDX-License-Identifier: Apache-2.0
#include "job/keeper/usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::job {
namespace {

constexpr std::size_t kMostDepth = 100;
constexpr std::uint64_t kMostFiles = 1'000'000;
constexpr std::uint64_t kBlock = 512;       // of st_blocks
constexpr std::uint64_t kFileBytes = 4096;  // what one costs at least
constexpr std::uint64_t kMostReserve = 1ULL << 30U;
constexpr std::uint64_t kReservePart = 50;  // of the disk: 2 %, for all others

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using OpenDirectory = std::unique_ptr<DIR, CloseDirectory>;

OpenDirectory open_directory(int parent, const char* name) {
  const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return OpenDirectory(fd < 0 ? nullptr : fdopendir(fd));
}

// The job's own /proc, which has its processes alone.
OpenDirectory processes_of(pid_t process) {
  const fs::path proc = "/proc/" + std::to_string(process) + "/root/proc";
  return OpenDirectory(opendir(proc.c_str()));
}

std::string read_at(int directory, const std::string& name) {
  const base::UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(4096, '\0');
  const ssize_t got = fd ? read(fd.get(), text.data(), text.size()) : -1;
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

using FileId = std::pair<dev_t, ino_t>;

std::uint64_t cost_of(const struct stat& status) {
  return std::max(static_cast<std::uint64_t>(status.st_blocks) * kBlock, kFileBytes);
}

class Count {
 public:
  [[nodiscard]] const DiskUse& use() const { return use_; }

  // Links are no files; a file with two names is one.
  void below(const fs::path& top) {
    std::vector<OpenDirectory> open;
    open.push_back(open_directory(AT_FDCWD, top.c_str()));
    if (!open.back()) return;
    struct stat status {};
    if (fstat(dirfd(open.back().get()), &status) == 0) device_ = status.st_dev;
    while (!open.empty() && use_.refusal.empty()) {
      const dirent* entry = readdir(open.back().get());
      if (entry == nullptr) {
        open.pop_back();
        continue;
      }
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      const int parent = dirfd(open.back().get());
      if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      add(status);
      if (!S_ISDIR(status.st_mode)) continue;
      if (open.size() >= kMostDepth) {
        use_.refusal = "its directories are nested deeper than " + std::to_string(kMostDepth);
        return;
      }
      OpenDirectory inner = open_directory(parent, name.c_str());
      if (inner) open.push_back(std::move(inner));
    }
  }

  // Files of the job's disk that only their descriptors hold.
  void nameless(int proc, const std::string& pid) {
    const OpenDirectory descriptors = open_directory(proc, (pid + "/fd").c_str());
    if (!descriptors) return;
    while (const dirent* entry = readdir(descriptors.get())) {
      struct stat status {};
      if (fstatat(dirfd(descriptors.get()), entry->d_name, &status, 0) != 0) continue;
      if (S_ISREG(status.st_mode) && status.st_nlink == 0 && status.st_dev == device_) add(status);
    }
  }

 private:
  void add(const struct stat& status) {
    if (++files_ > kMostFiles) {
      use_.refusal = "it has made more than " + std::to_string(kMostFiles) + " files";
      return;
    }
    if (status.st_nlink != 1 && !S_ISDIR(status.st_mode) &&
        !seen_.insert({status.st_dev, status.st_ino}).second) {
      return;
    }
    use_.bytes += cost_of(status);
  }

  DiskUse use_;
  dev_t device_ = 0;
  std::uint64_t files_ = 0;
  std::set<FileId> seen_;
};

bool is_disk_nearly_full(const fs::path& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return false;
  const std::uint64_t unit = disk.f_frsize;
  const std::uint64_t reserve = std::min(disk.f_blocks * unit / kReservePart, kMostReserve);
  return disk.f_bavail * unit <= reserve;
}

std::string mib(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

bool is_number(const char* text) {
  return base::parse_uint64(text).has_value();
}

}  // namespace

std::uint64_t memory_used(pid_t process) {
  const OpenDirectory proc = processes_of(process);
  std::uint64_t kib = 0;
  while (proc != nullptr) {
    const dirent* entry = readdir(proc.get());
    if (entry == nullptr) break;
    if (!is_number(entry->d_name)) continue;
    const std::string text =
        read_at(dirfd(proc.get()), std::string(entry->d_name) + "/smaps_rollup");
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto words = base::split_words(base::take_part(rest, '\n'));
      if (words.size() < 2 || (words[0] != "Pss_Anon:" && words[0] != "Pss_Shmem:")) continue;
      kib += base::parse_uint64(words[1]).value_or(0);
    }
  }
  return kib * 1024;
}

DiskUse disk_used(const JobDirectory& directory, pid_t process) {
  Count count;
  count.below(directory.work());
  count.below(directory.temporary());
  const OpenDirectory proc = processes_of(process);
  while (proc != nullptr) {
    const dirent* entry = readdir(proc.get());
    if (entry == nullptr) break;
    if (is_number(entry->d_name)) count.nameless(dirfd(proc.get()), entry->d_name);
  }
  return count.use();
}

std::optional<Excess> find_excess(const JobDirectory& directory, pid_t process,
                                  const SandboxRules& rules) {
  const Limits& limits = rules.limits;
  if (rules.cgroup.empty() && memory_used(process) > limits.memory_bytes) {
    return Excess{JobEnd::memory_exceeded,
                  "its processes used more than " + mib(limits.memory_bytes) + " of memory"};
  }
  const DiskUse disk = disk_used(directory, process);
  if (!disk.refusal.empty()) return Excess{JobEnd::disk_exceeded, disk.refusal};
  if (disk.bytes > limits.disk_bytes) {
    return Excess{JobEnd::disk_exceeded,
                  "its files are larger than " + mib(limits.disk_bytes) + " together"};
  }
  if (is_disk_nearly_full(directory.path())) {
    return Excess{JobEnd::disk_exceeded,
                  "the server's disk is nearly full; what is left is kept for the server"};
  }
  return std::nullopt;
}

}  // namespace andon::job
