// SPDX-License-Identifier: Apache-2.0
#include "job/order/job_directory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/error/error.hpp"

namespace andon::job {
namespace {

TEST(RemoveTree, TakesAwayWhatIsDeepClosedOrALink) {
  const base::TemporaryDirectory directory;
  const fs::path outside = directory.path() / "outside";
  fs::create_directory(outside);
  std::ofstream(outside / "kept") << "x";
  const fs::path tree = directory.path() / "tree";
  fs::create_directory(tree);
  fs::create_symlink(outside, tree / "link");
  fs::create_symlink("nowhere", tree / "dangling");
  fs::create_directory(tree / "closed");
  std::ofstream(tree / "closed" / "file") << "x";
  chmod((tree / "closed").c_str(), 0);
  // Deeper than a path may be long.
  int at = open(tree.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(mkdirat(at, "deep", 0700), 0);
    const int next = openat(at, "deep", O_RDONLY | O_DIRECTORY);
    close(at);
    at = next;
  }
  close(at);
  remove_tree(tree);
  EXPECT_FALSE(fs::exists(tree));
  EXPECT_TRUE(fs::exists(outside / "kept"));
  remove_tree(tree);  // that it is gone is fine
}

TEST(JobDirectory, KnowsWhetherAKeeperLives) {
  const base::TemporaryDirectory parent;
  const JobDirectory directory(parent.path() / "job");
  directory.make(std::nullopt);
  EXPECT_FALSE(directory.has_keeper());
  {
    const base::FileLock lock(directory.lock_file());
    EXPECT_TRUE(directory.has_keeper());
    EXPECT_FALSE(directory.keeper());  // which one is not known
    base::write_file_atomically(directory.keeper_file(),
                                "{\"pid\": " + std::to_string(getpid()) + ", \"startTicks\": 1}");
    EXPECT_FALSE(directory.keeper());  // the number is another's by now
  }
  EXPECT_FALSE(directory.has_keeper());
}

TEST(JobDirectory, ADamagedResultIsNone) {
  const base::TemporaryDirectory parent;
  const JobDirectory directory(parent.path());
  EXPECT_FALSE(directory.result());
  std::ofstream(parent.path() / "result.json") << "{\"end\": ";
  EXPECT_FALSE(directory.result());
  directory.write_result({.end = JobEnd::stopped, .message = "so"});
  EXPECT_EQ(directory.result()->end, JobEnd::stopped);
}

}  // namespace
}  // namespace andon::job
