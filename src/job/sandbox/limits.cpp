// SPDX-License-Identifier: Apache-2.0
#include "job/sandbox/limits.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "base/error/error.hpp"
#include "base/os/cores.hpp"
#include "base/text/id.hpp"
#include "base/text/split.hpp"

namespace andon::job {
namespace {

constexpr rlim_t kOpenFiles = 1024;
constexpr rlim_t kLockedBytes = 8U << 20U;
constexpr const char* kControllers[] = {"memory", "pids", "cpu"};

void limit(__rlimit_resource what, rlim_t most, const char* name) {
  // Below what the program itself is held to there is nothing to be raised.
  rlimit now{};
  getrlimit(what, &now);
  const rlimit wanted{std::min(most, now.rlim_max), std::min(most, now.rlim_max)};
  if (setrlimit(what, &wanted) != 0) {
    throw base::system_error("cannot limit " + std::string(name), errno);
  }
}

void write_setting(const fs::path& file, const std::string& value) {
  const base::UniqueFd fd = base::open_file(file, O_WRONLY);
  base::write_all(fd.get(), value, file);
}

// As many as there are in the limit, rounded up; drawn, so that jobs do not all meet on the first.
void stay_on_cores(double cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const std::vector<int> cores = base::allowed_cores();
  const auto first = static_cast<unsigned char>(base::random_bytes(1)[0]);
  const auto count = std::min(static_cast<std::size_t>(std::ceil(cpus)), cores.size());
  for (std::size_t i = 0; i < count; ++i) {
    CPU_SET(static_cast<std::size_t>(cores[(first + i) % cores.size()]), &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    throw base::system_error("cannot limit the processors", errno);
  }
}

}  // namespace

void set_process_limits(const Limits& limits, bool has_cgroup, std::uint64_t own) {
  limit(RLIMIT_CORE, 0, "core dumps");
  limit(RLIMIT_NOFILE, kOpenFiles, "open files");
  limit(RLIMIT_MEMLOCK, kLockedBytes, "locked memory");
  limit(RLIMIT_MSGQUEUE, 0, "message queues");
  limit(RLIMIT_FSIZE, limits.disk_bytes, "the size of files");
  limit(RLIMIT_NPROC, limits.processes + own, "processes");
  if (!has_cgroup && limits.cpus > 0) stay_on_cores(limits.cpus);
}

void set_memory_limit(const Limits& limits) {
  limit(RLIMIT_DATA, limits.memory_bytes + limits.reserved_bytes, "memory");
}

void Cgroup::check(const fs::path& parent) {
  const auto refuse = [&parent](const std::string& why) {
    throw base::Error(base::ErrorCode::unsupported,
                      "the cgroup '" + parent.string() + "' cannot be used for jobs: " + why);
  };
  const auto offered = base::read_file_if_exists(parent / "cgroup.controllers");
  if (!offered) refuse("it is no directory of a cgroup file system of version 2");
  const auto has = [](const std::string& list, std::string_view word) {
    const auto words = base::split_words(list, " \n");
    return std::ranges::find(words, word) != words.end();
  };
  const auto passed_on = base::read_file(parent / "cgroup.subtree_control");
  for (const char* controller : kControllers) {
    if (!has(*offered, controller)) {
      refuse("it has no controller '" + std::string(controller) + "'");
    }
    if (has(passed_on, controller)) continue;
    try {
      write_setting(parent / "cgroup.subtree_control", "+" + std::string(controller));
    } catch (const base::Error& error) {
      refuse("the controller '" + std::string(controller) +
             "' cannot be passed on; is it delegated, and without processes of its own? " +
             error.message());
    }
  }
}

Cgroup::Cgroup(const fs::path& parent, const std::string& name, const Limits& limits)
    : path_(parent / name) {
  check(parent);
  if (mkdir(path_.c_str(), 0755) != 0 && errno != EEXIST) {
    throw base::system_error("cannot make the cgroup '" + path_.string() + "'", errno);
  }
  write_setting(path_ / "memory.max", std::to_string(limits.memory_bytes));
  if (fs::exists(path_ / "memory.swap.max")) write_setting(path_ / "memory.swap.max", "0");
  write_setting(path_ / "memory.oom.group", "1");
  write_setting(path_ / "pids.max", std::to_string(limits.processes + 1));
  if (limits.cpus > 0) {
    constexpr int kPeriod = 100'000;  // microseconds
    write_setting(path_ / "cpu.max", std::to_string(std::llround(limits.cpus * kPeriod)) + " " +
                                         std::to_string(kPeriod));
  }
}

Cgroup::~Cgroup() {
  try {
    write_setting(path_ / "cgroup.kill", "1");
  } catch (const base::Error&) {
    // Its processes end with their namespace, too.
  }
  rmdir(path_.c_str());
}

void Cgroup::add(pid_t process) const {
  write_setting(path_ / "cgroup.procs", std::to_string(process));
}

}  // namespace andon::job
