// SPDX-License-Identifier: Apache-2.0
#include "edge/process/control_groups.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::edge {
namespace {

namespace fs = base::fs;

constexpr std::int64_t kPeriod = 100'000;  // microseconds
constexpr std::int64_t kLeastQuota = 1'000;
constexpr double kMostCpus = 100'000;
constexpr std::int64_t kMostKib = std::int64_t{1} << 50;

// 0 or an errno.
int write_setting(const fs::path& file, std::string_view value) {
  const base::UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || write(fd.get(), value.data(), value.size()) < 0) return errno;
  return 0;
}

std::string read_setting(const fs::path& file) {
  try {
    return base::read_file_if_exists(file).value_or("");
  } catch (const base::Error&) {
    return {};
  }
}

bool has_word(const std::string& text, std::string_view word) {
  const auto words = base::split_words(text, " ,\n");
  return std::ranges::find(words, word) != words.end();
}

// "NAME NUMBER" in one of the lines.
bool counts_any(const std::string& text, std::string_view name) {
  const auto words = base::split_words(text, " \n");
  const auto found = std::ranges::find(words, name);
  return found != words.end() && found + 1 != words.end() && *(found + 1) != "0";
}

// Mountinfo writes a blank as \040; the paths of cgroup file systems have none.
struct Mount {
  fs::path root;
  fs::path point;
  bool is_unified = false;
  std::string controllers;  // of version 1
};

std::vector<Mount> read_mounts(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : base::split_words(text, "\n")) {
    const auto words = base::split_words(line, " ");
    const auto dash = std::ranges::find(words, "-");
    if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
    const std::string_view type = *(dash + 1);
    if (type != "cgroup" && type != "cgroup2") continue;
    mounts.push_back({fs::path(words[3]), fs::path(words[4]), type == "cgroup2",
                      type == "cgroup" ? std::string(*(dash + 3)) : std::string()});
  }
  return mounts;
}

// The path of this process in the hierarchy that `is_it` knows by its list of controllers.
template <typename IsIt>
fs::path own_path(std::string_view text, IsIt is_it) {
  for (const std::string_view line : base::split_words(text, "\n")) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    if (is_it(std::string(line.substr(first + 1, second - first - 1)))) {
      return fs::path(line.substr(second + 1));
    }
  }
  return "/";
}

// Where a path of the hierarchy is to be seen: a container sees a part of it as the whole.
fs::path seen(const Mount& mount, const fs::path& path) {
  const fs::path below = path.lexically_relative(mount.root);
  if (below.empty() || *below.begin() == "..") return mount.point;
  return below == "." ? mount.point : mount.point / below;
}

const Mount* find_version_1(const std::vector<Mount>& mounts, std::string_view controller) {
  const auto found = std::ranges::find_if(mounts, [&](const Mount& mount) {
    return !mount.is_unified && has_word(mount.controllers, controller);
  });
  return found == mounts.end() ? nullptr : &*found;
}

}  // namespace

std::vector<fs::path> cgroup_bases(std::string_view mounts, std::string_view own,
                                   const std::string& name) {
  const std::vector<Mount> all = read_mounts(mounts);
  const auto unified = std::ranges::find_if(all, &Mount::is_unified);
  fs::path beside;
  if (unified != all.end()) {
    const fs::path here =
        seen(*unified, own_path(own, [](const std::string& list) { return list.empty(); }));
    beside = here == unified->point ? here : here.parent_path();
    if (has_word(read_setting(beside / "cgroup.controllers"), "memory")) return {beside / name};
  }
  std::vector<fs::path> bases;
  for (const char* const controller : {"memory", "cpu", "freezer"}) {
    const Mount* const mount = find_version_1(all, controller);
    if (mount == nullptr) continue;
    const fs::path base =
        seen(*mount,
             own_path(own, [&](const std::string& list) { return has_word(list, controller); })) /
        name;
    if (std::ranges::find(bases, base) == bases.end()) bases.push_back(base);
  }
  if (bases.empty() && !beside.empty()) bases.push_back(beside / name);
  return bases;
}

ControlGroups ControlGroups::of_this_process(const std::string& name) {
  return ControlGroups(
      cgroup_bases(read_setting("/proc/self/mountinfo"), read_setting("/proc/self/cgroup"), name));
}

ComponentCgroup ControlGroups::make(const std::string& name) {
  std::vector<std::string> made;
  std::string why = bases_.empty() ? "no cgroup file system is mounted" : "";
  for (const fs::path& base : bases_) {
    const fs::path directory = base / name;
    if (mkdir(base.c_str(), 0755) != 0 && errno != EEXIST) {
      why = base::system_error("cannot make " + base.string(), errno).message();
      continue;
    }
    // Version 2. What cannot be passed on is missed by limit().
    for (const fs::path& above : {base.parent_path(), base}) {
      for (const char* const controller : {"+memory", "+cpu"}) {
        static_cast<void>(write_setting(above / "cgroup.subtree_control", controller));
      }
    }
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
      why = base::system_error("cannot make " + directory.string(), errno).message();
      continue;
    }
    made.push_back(directory.string());
  }
  if (!why.empty() && !std::exchange(has_complained_, true)) {
    base::log_warning("components run without some of their cgroups", {{"why", why}});
  }
  return ComponentCgroup(std::move(made));
}

void ControlGroups::sweep() const {
  for (const fs::path& base : bases_) {
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(base, none)) {
      if (entry.is_directory(none)) rmdir(entry.path().c_str());
    }
  }
}

std::vector<std::string> ComponentCgroup::entrances() const {
  std::vector<std::string> files;
  for (const std::string& directory : directories_) files.push_back(directory + "/cgroup.procs");
  return files;
}

std::optional<fs::path> ComponentCgroup::find(const char* file) const {
  for (const std::string& directory : directories_) {
    const fs::path path = fs::path(directory) / file;
    if (access(path.c_str(), F_OK) == 0) return path;
  }
  return std::nullopt;
}

std::string ComponentCgroup::limit(const recipe::ResourceLimits& limits) const {
  std::string problems;
  const auto set = [&](const char* version_2, const std::string& value_2, const char* version_1,
                       const std::string& value_1, bool is_wanted, const char* what) {
    std::string why = "this machine has no cgroup for it";
    if (const auto file = find(version_2)) {
      const int error = write_setting(*file, value_2);
      if (error == 0) return;
      why = base::system_error("cannot write " + file->string(), error).message();
    } else if (const auto old = find(version_1)) {
      const int error = write_setting(*old, value_1);
      if (error == 0) return;
      why = base::system_error("cannot write " + old->string(), error).message();
    }
    if (!is_wanted) return;
    problems += (problems.empty() ? "" : "; ") + std::string("its limit of ") + what +
                " is not kept: " + why;
  };
  const std::string bytes =
      std::to_string(std::min(limits.memory_kib.value_or(0), kMostKib) * 1024);
  set("memory.max", limits.memory_kib ? bytes : "max", "memory.limit_in_bytes",
      limits.memory_kib ? bytes : "-1", limits.memory_kib.has_value(), "memory");
  const auto wanted =
      static_cast<std::int64_t>(std::min(limits.cpus.value_or(0), kMostCpus) * kPeriod);
  const std::string quota = std::to_string(std::max(wanted, kLeastQuota));
  set("cpu.max", (limits.cpus ? quota : "max") + " " + std::to_string(kPeriod), "cpu.cfs_quota_us",
      limits.cpus ? quota : "-1", limits.cpus.has_value(), "processor time");
  return problems;
}

bool ComponentCgroup::set_frozen(bool frozen) const {
  if (const auto file = find("cgroup.freeze")) {
    return write_setting(*file, frozen ? "1" : "0") == 0;
  }
  const auto file = find("freezer.state");
  return file && write_setting(*file, frozen ? "FROZEN" : "THAWED") == 0;
}

bool ComponentCgroup::freeze() const {
  return set_frozen(true);
}

bool ComponentCgroup::thaw() const {
  return set_frozen(false);
}

bool ComponentCgroup::is_frozen() const {
  if (const auto file = find("cgroup.freeze")) return read_setting(*file).starts_with('1');
  const auto file = find("freezer.state");
  return file && read_setting(*file).starts_with("FR");  // or FREEZING
}

void ComponentCgroup::kill() const {
  const auto at_once = find("cgroup.kill");
  if (at_once && write_setting(*at_once, "1") == 0) return;
  if (directories_.empty()) return;
  // Standing still they start no others; what was killed ends when it is let go. Twice, as one that
  // was about to start another may have done so meanwhile.
  freeze();
  for (int pass = 0; pass < 2; ++pass) {
    const std::string processes = read_setting(directories_.back() + "/cgroup.procs");
    for (const std::string_view line : base::split_words(processes, "\n")) {
      const auto pid = base::parse_integer<pid_t>(line);
      if (pid && *pid > 1) ::kill(*pid, SIGKILL);
    }
  }
  thaw();
}

bool ComponentCgroup::remove() const {
  bool is_gone = true;
  for (const std::string& directory : directories_) {
    if (rmdir(directory.c_str()) != 0 && errno != ENOENT) is_gone = false;
  }
  return is_gone;
}

bool ComponentCgroup::has_run_out_of_memory() const {
  for (const char* const name : {"memory.events", "memory.oom_control"}) {
    const auto file = find(name);
    if (file && counts_any(read_setting(*file), "oom_kill")) return true;
  }
  return false;
}

}  // namespace andon::edge
