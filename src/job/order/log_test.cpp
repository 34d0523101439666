// SPDX-License-Identifier: Apache-2.0
#include "job/order/log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace andon::job {
namespace {

class LogTest : public testing::Test {
 protected:
  [[nodiscard]] LogPart read(std::uint64_t from, std::size_t most = 1U << 20U) const {
    return read_log(directory_.path(), from, most);
  }
  base::TemporaryDirectory directory_;
};

TEST_F(LogTest, IsReadOnFromWhereAReaderWas) {
  LogWriter log(directory_.path(), 1U << 20U);
  EXPECT_EQ(read(0).bytes, "");
  log.write("one\n");
  EXPECT_EQ(read(0).bytes, "one\n");
  log.write("two\n");
  EXPECT_EQ(read(4).bytes, "two\n");
  EXPECT_EQ(read(0, 6).bytes, "one\ntw");
  EXPECT_EQ(read(8).bytes, "");
  EXPECT_EQ(log_end(directory_.path()), 8U);
}

TEST_F(LogTest, KeepsTheNewestPartAndNoMoreThanItMay) {
  LogWriter log(directory_.path(), 16'384);
  std::string all;
  for (int i = 0; i < 5000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    all += line;
    log.write(line);
  }
  std::uint64_t stored = 0;
  for (const auto& entry : base::fs::directory_iterator(directory_.path())) {
    stored += entry.file_size();
  }
  EXPECT_LE(stored, 16'384U);
  const LogPart part = read(0);
  EXPECT_GT(part.from, 0U);
  EXPECT_GE(part.bytes.size(), 8'192U);
  EXPECT_EQ(part.bytes, all.substr(part.from));
  EXPECT_EQ(log_end(directory_.path()), all.size());
  // Over the border between its files, too.
  EXPECT_EQ(read(part.from + 100, 10'000).bytes, all.substr(part.from + 100, 10'000));
}

TEST_F(LogTest, IsFollowedByWholeLinesAlsoByTheNextOne) {
  using Job = LogFollower::Job;
  using Lines = std::vector<std::string>;
  LogWriter log(directory_.path(), 1U << 20U);
  log.write("one\ntwo\nthr");
  {
    LogFollower follower(directory_.path());
    EXPECT_EQ(follower.take(100, Job::runs), (Lines{"one", "two"}));
    EXPECT_EQ(follower.take(100, Job::runs), Lines{});
  }
  log.write("ee\n\nlast");
  LogFollower next(directory_.path());
  EXPECT_EQ(next.take(100, Job::runs), (Lines{"three", ""}));
  EXPECT_EQ(next.take(100, Job::is_over), (Lines{"last"}));
  EXPECT_EQ(next.take(100, Job::is_over), Lines{});
  EXPECT_EQ(LogFollower(directory_.path()).take(100, Job::is_over), Lines{});
}

TEST_F(LogTest, AFollowerSaysWhatIsNotKeptAndCutsWhatHasNoEnd) {
  using Job = LogFollower::Job;
  LogWriter log(directory_.path(), 16'384);
  LogFollower follower(directory_.path());
  for (int i = 0; i < 5000; ++i) log.write("line\n");
  const auto lines = follower.take(1U << 20U, Job::runs);
  EXPECT_NE(lines.at(0).find("not kept any more"), std::string::npos);
  EXPECT_EQ(lines.back(), "line");
  const base::TemporaryDirectory other;
  LogWriter without_end(other.path(), 4U << 20U);
  without_end.write(std::string(300'000, 'x'));
  EXPECT_EQ(LogFollower(other.path()).take(1U << 20U, Job::runs).at(0).size(), 300'000U);
}

TEST_F(LogTest, WhatCannotBeWrittenIsDroppedAndTheRestIsFound) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  LogWriter log(directory_.path(), 1U << 20U);
  log.write("before ");
  const rlimit tight{10, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  log.write("too much");
  setrlimit(RLIMIT_FSIZE, &before);
  log.write(" after");
  EXPECT_EQ(read(0).bytes, "before too after");
}

}  // namespace
}  // namespace andon::job
