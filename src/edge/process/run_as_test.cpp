// SPDX-License-Identifier: Apache-2.0
#include "edge/process/run_as.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "base/os/process.hpp"
#include "edge/run/component_environment.hpp"
#include "edge/run/work_directory.hpp"

namespace andon::edge {
namespace {

namespace fs = base::fs;

bool is_root() {
  return geteuid() == 0;
}

struct stat status_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status;
}

TEST(RunAs, NamesAndNumbersOfUsersAndGroups) {
  if (!is_root()) GTEST_SKIP() << "only root can become somebody else";
  const RunAs nobody = resolve_run_as("nobody");
  EXPECT_EQ(nobody.name, "nobody");
  EXPECT_NE(nobody.user, 0U);
  EXPECT_EQ(resolve_run_as(std::to_string(*nobody.user)).name, "nobody");
  EXPECT_EQ(resolve_run_as("nobody:123").group, 123U);
  EXPECT_EQ(resolve_run_as("root").user, 0U);
  EXPECT_TRUE(is_privileged(resolve_run_as("0:0")));
  EXPECT_TRUE(is_privileged(resolve_run_as("")));
  EXPECT_FALSE(is_privileged(nobody));
}

TEST(RunAs, AUserThatTheSystemDoesNotKnowIsInNoGroupOfOurs) {
  if (!is_root()) GTEST_SKIP() << "only root can become somebody else";
  const RunAs stranger = resolve_run_as("54321");
  EXPECT_EQ(stranger.user, 54321U);
  EXPECT_EQ(stranger.group, base::kNoGroup);
  EXPECT_TRUE(stranger.groups.empty());
}

TEST(RunAs, WhatIsUnknownOrMeansTheAgentItselfIsRefused) {
  if (!is_root()) GTEST_SKIP() << "only root can become somebody else";
  for (const char* text : {"no-such-user", "nobody:no-such-group", ":root", "4294967295",
                           "nobody:4294967295", "nobody:", "-1", " "}) {
    EXPECT_THROW(static_cast<void>(resolve_run_as(text)), base::Error) << text;
  }
}

TEST(RunAs, AnAgentThatIsNotRootRunsComponentsAsItselfAndRefusesOthers) {
  if (is_root()) {
    ASSERT_EQ(seteuid(54321), 0);
    EXPECT_FALSE(is_privileged({}));
    EXPECT_EQ(resolve_run_as("54321").user, std::nullopt);
    EXPECT_THROW(static_cast<void>(resolve_run_as("root")), base::Error);
    ASSERT_EQ(seteuid(0), 0);
  }
}

TEST(RunAs, NamesTheDirectoryThatIsClosed) {
  const base::TemporaryDirectory directory;  // 0700
  EXPECT_EQ(closed_directory((directory.path() / "a").string(), {.user = 54321, .group = 54321}),
            directory.path().string());
  EXPECT_EQ(closed_directory(directory.path().string(), {}), "");
}

TEST(ScriptEnvironment, HasItsHomeInTheWorkDirectoryAndNothingOfTheAgents) {
  ASSERT_EQ(setenv("ANDON_TEST_PASSED", "yes", 1), 0);
  ASSERT_EQ(setenv("ANDON_TEST_KEPT", "secret", 1), 0);
  const RunAs who{.user = 54321, .group = 54321};
  const auto environment =
      script_environment(who, "/w", {"ANDON_TEST_PASSED", "ANDON_TEST_NOT_SET"});
  const std::map<std::string, std::string> expected{
      {"ANDON_TEST_PASSED", "yes"},
      {"HOME", "/w"},
      {"LANG", "C.UTF-8"},
      {"PATH", "/w/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"PIP_BREAK_SYSTEM_PACKAGES", "1"},
      {"PYTHONUSERBASE", "/w/.local"}};
  EXPECT_EQ(environment, expected);
}

TEST(ScriptEnvironment, OfAStepWithAllRightsHasNothingOfTheWorkDirectory) {
  if (!is_root()) GTEST_SKIP() << "only root has all rights";
  for (const auto& [name, value] : script_environment({}, "/w", {})) {
    EXPECT_EQ(value.find("/w"), std::string::npos) << name;
  }
}

class WorkDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_root()) GTEST_SKIP() << "only root gives files away";
  }
  static RunAs user(uid_t id) { return {.user = id, .group = id}; }

  base::TemporaryDirectory parent_;
  fs::path work_ = parent_.path() / "work";
};

TEST_F(WorkDirectoryTest, IsItsUsersAlone) {
  prepare_work_directory(work_, user(54321));
  EXPECT_EQ(status_of(work_).st_uid, 54321U);
  EXPECT_EQ(status_of(work_).st_gid, 54321U);
  EXPECT_EQ(status_of(work_).st_mode & 0777U, 0750U);
}

TEST_F(WorkDirectoryTest, GivesWhatItsOldUserOwnedToTheNewOneAndNothingElse) {
  const fs::path outside = parent_.path() / "outside";
  base::write_file_atomically(outside, "of the system");
  ASSERT_EQ(chown(outside.c_str(), 111, 111), 0);
  prepare_work_directory(work_, user(111));
  base::make_directories(work_ / "a" / "b");
  base::write_file_atomically(work_ / "a" / "b" / "file", "x");
  base::write_file_atomically(work_ / "roots", "x");
  fs::create_symlink(outside, work_ / "link");
  for (const char* own : {"a", "a/b", "a/b/file", "link"}) {
    ASSERT_EQ(lchown((work_ / own).c_str(), 111, 111), 0);
  }
  prepare_work_directory(work_, user(222));
  for (const char* own : {"", "a", "a/b", "a/b/file", "link"}) {
    EXPECT_EQ(status_of(work_ / own).st_uid, 222U) << own;
  }
  EXPECT_EQ(status_of(work_ / "roots").st_uid, 0U);
  EXPECT_EQ(status_of(outside).st_uid, 111U);
}

TEST_F(WorkDirectoryTest, OneThatIsTooDeepIsRefused) {
  prepare_work_directory(work_, user(111));
  fs::path deep = work_;
  for (int i = 0; i < 80; ++i) {
    deep /= "d";
    fs::create_directory(deep);
    ASSERT_EQ(chown(deep.c_str(), 111, 111), 0);
  }
  EXPECT_THROW(prepare_work_directory(work_, user(222)), base::Error);
  EXPECT_EQ(status_of(work_).st_uid, 111U);
}

TEST_F(WorkDirectoryTest, ALinkInItsPlaceIsRefused) {
  fs::create_directory(parent_.path() / "elsewhere");
  fs::create_symlink(parent_.path() / "elsewhere", work_);
  EXPECT_THROW(prepare_work_directory(work_, user(111)), base::Error);
  EXPECT_EQ(status_of(parent_.path() / "elsewhere").st_uid, 0U);
}

}  // namespace
}  // namespace andon::edge
