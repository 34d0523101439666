// SPDX-License-Identifier: Apache-2.0
// Files of the kernel's kind in a plain directory; the kernel's own where this machine lets it.
#include "edge/process/control_groups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

namespace andon::edge {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;

class PlainCgroupTest : public testing::Test {
 protected:
  ComponentCgroup with(const std::vector<std::string>& files) {
    for (const std::string& file : files) std::ofstream(directory_.path() / file) << "";
    return ComponentCgroup({directory_.path().string()});
  }
  std::string content(const std::string& file) const {
    return base::read_file(directory_.path() / file);
  }
  base::TemporaryDirectory directory_;
};

TEST_F(PlainCgroupTest, LimitsAreWrittenAsVersion2HasThem) {
  const ComponentCgroup cgroup = with({"memory.max", "cpu.max"});
  EXPECT_EQ(cgroup.limit({.memory_kib = 1024, .cpus = 1.5}), "");
  EXPECT_EQ(content("memory.max"), "1048576");
  EXPECT_EQ(content("cpu.max"), "150000 100000");
}

TEST_F(PlainCgroupTest, NoLimitsAreWrittenAsNone) {
  const ComponentCgroup cgroup = with({"memory.max", "cpu.max"});
  EXPECT_EQ(cgroup.limit({}), "");
  EXPECT_EQ(content("memory.max"), "max");
  EXPECT_EQ(content("cpu.max"), "max 100000");
}

TEST_F(PlainCgroupTest, LimitsAreWrittenAsVersion1HasThem) {
  const ComponentCgroup cgroup = with({"memory.limit_in_bytes", "cpu.cfs_quota_us"});
  EXPECT_EQ(cgroup.limit({.memory_kib = 2048, .cpus = 0.5}), "");
  EXPECT_EQ(content("memory.limit_in_bytes"), "2097152");
  EXPECT_EQ(content("cpu.cfs_quota_us"), "50000");
}

TEST_F(PlainCgroupTest, LimitsBeyondAllMeasureAreCutAndTinyOnesRoundedUp) {
  const ComponentCgroup cgroup = with({"memory.max", "cpu.max"});
  EXPECT_EQ(cgroup.limit({.memory_kib = INT64_MAX, .cpus = 1e300}), "");
  EXPECT_EQ(content("memory.max"), "1152921504606846976");
  EXPECT_EQ(content("cpu.max"), "10000000000 100000");
  const ComponentCgroup tiny({(directory_.path() / "none").string()});
  fs::create_directory(directory_.path() / "none");
  std::ofstream(directory_.path() / "none" / "cpu.max") << "";
  EXPECT_EQ(tiny.limit({.cpus = 1e-9}), "");
  EXPECT_EQ(content("none/cpu.max"), "1000 100000");
}

TEST_F(PlainCgroupTest, ALimitThatCannotBeKeptIsNamedAndOneThatNobodyWantsIsNot) {
  const ComponentCgroup cgroup = with({"cpu.max"});
  EXPECT_THAT(cgroup.limit({.memory_kib = 1, .cpus = 1}),
              testing::AllOf(testing::HasSubstr("its limit of memory is not kept"),
                             testing::Not(testing::HasSubstr("processor"))));
  EXPECT_EQ(cgroup.limit({}), "");
  EXPECT_THAT(ComponentCgroup().limit({.cpus = 1}), testing::HasSubstr("processor time"));
}

TEST_F(PlainCgroupTest, OutOfMemoryIsReadOfBothVersions) {
  const ComponentCgroup cgroup = with({});
  EXPECT_FALSE(cgroup.has_run_out_of_memory());
  std::ofstream(directory_.path() / "memory.events") << "oom 1\noom_kill 0\n";
  EXPECT_FALSE(cgroup.has_run_out_of_memory());
  std::ofstream(directory_.path() / "memory.oom_control") << "under_oom 0\noom_kill 2\n";
  EXPECT_TRUE(cgroup.has_run_out_of_memory());
}

TEST(CgroupBases, AreBesideTheAgentsOwnInVersion2) {
  const base::TemporaryDirectory directory;
  const std::string point = directory.path().string();
  fs::create_directories(directory.path() / "system.slice");
  std::ofstream(directory.path() / "system.slice" / "cgroup.controllers") << "cpu memory pids\n";
  EXPECT_THAT(cgroup_bases("1 2 0:1 / " + point + " rw,relatime shared:4 - cgroup2 cgroup2 rw\n",
                           "0::/system.slice/andon-edge.service\n", "andon"),
              ElementsAre(directory.path() / "system.slice" / "andon"));
}

TEST(CgroupBases, AreBelowTheAgentsOwnInVersion1AndOneForEachHierarchy) {
  constexpr std::string_view kMounts =
      "30 29 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "31 29 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "32 29 0:28 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "33 29 0:29 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
      "34 29 0:30 / /proc rw - proc proc rw\n"
      "nonsense\n";
  constexpr std::string_view kOwn =
      "5:freezer:/\n4:memory:/docker/1/a\n3:cpu,cpuacct:/system.slice/x.service\n0::/\n";
  EXPECT_THAT(cgroup_bases(kMounts, kOwn, "andon"),
              ElementsAre("/sys/fs/cgroup/memory/a/andon",
                          "/sys/fs/cgroup/cpu,cpuacct/system.slice/x.service/andon",
                          "/sys/fs/cgroup/freezer/andon"));
}

TEST(CgroupBases, WithoutAnyThereAreNone) {
  EXPECT_THAT(cgroup_bases("", "", "andon"), ElementsAre());
  ControlGroups none;
  EXPECT_THAT(none.make("a").directories(), ElementsAre());
}

// A process in a session of its own, which no signal to a group reaches.
class Straying {
 public:
  explicit Straying(const ComponentCgroup& cgroup) : pid_(fork()) {
    if (pid_ != 0) return;
    setsid();
    for (const std::string& file : cgroup.entrances()) std::ofstream(file) << "0" << std::flush;
    while (true) pause();
  }
  ~Straying() {
    if (!has_ended_) kill(pid_, SIGKILL);
    if (!has_ended_) waitpid(pid_, nullptr, 0);
  }
  bool is_in(const ComponentCgroup& cgroup) const {
    return until([&] {
      for (const std::string& file : cgroup.entrances()) {
        if (base::read_file(file).find(std::to_string(pid_)) == std::string::npos) return false;
      }
      return true;
    });
  }
  bool ends() {
    return has_ended_ = until([&] { return waitpid(pid_, nullptr, WNOHANG) == pid_; });
  }
  template <typename Condition>
  static bool until(const Condition& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      usleep(1000);
    }
    return true;
  }

 private:
  pid_t pid_;
  bool has_ended_ = false;
};

void stop_and_end_as_a_whole(ControlGroups groups) {
  const ComponentCgroup cgroup = groups.make("one.test");
  ASSERT_FALSE(cgroup.directories().empty());
  Straying straying(cgroup);
  ASSERT_TRUE(straying.is_in(cgroup));
  EXPECT_FALSE(cgroup.is_frozen());
  EXPECT_TRUE(cgroup.freeze());
  EXPECT_TRUE(cgroup.is_frozen());
  EXPECT_TRUE(cgroup.thaw());
  EXPECT_FALSE(cgroup.is_frozen());
  EXPECT_FALSE(cgroup.remove());
  cgroup.freeze();
  cgroup.kill();
  EXPECT_TRUE(straying.ends());
  EXPECT_TRUE(Straying::until([&] { return cgroup.remove(); }));
  for (const fs::path& base : groups.bases()) rmdir(base.c_str());
}

TEST(KernelCgroups, WhatHasLeftItsGroupStandsStillAndEndsWithTheOthers) {
  const ControlGroups groups =
      ControlGroups::of_this_process("andon-test-" + std::to_string(getpid()));
  if (geteuid() != 0 || groups.bases().empty()) GTEST_SKIP() << "needs root and cgroups";
  stop_and_end_as_a_whole(groups);
}

TEST(KernelCgroups, TheSameInVersion2WithoutControllers) {
  const fs::path unified =
      fs::exists("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
  if (geteuid() != 0 || !fs::exists(unified)) GTEST_SKIP() << "needs root and cgroups of version 2";
  stop_and_end_as_a_whole(
      ControlGroups({unified / ("andon-test-two-" + std::to_string(getpid()))}));
}

}  // namespace
}  // namespace andon::edge
