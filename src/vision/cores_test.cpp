// SPDX-License-Identifier: Apache-2.0
#include "vision/cores.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "base/error.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Cores, AreListedByNumbersAndRanges) {
  EXPECT_THAT(parse_core_list("0,2-4,1"), ElementsAre(0, 2, 3, 4, 1));
  EXPECT_EQ(core_list(std::vector<int>{0, 2, 3, 4, 1}), "0,2-4,1");
  for (const char* wrong : {"", "a", "1,", "3-1", "-1", "1;2", "0-99999999", "1-"}) {
    EXPECT_THAT([&] { (void)parse_core_list(wrong); },
                ThrowsMessage<base::Error>(HasSubstr("as in 0,2-3")))
        << wrong;
  }
  EXPECT_THAT([] { (void)parse_core_list("0-3,2"); },
              ThrowsMessage<base::Error>(HasSubstr("core 2 twice")));
}

TEST(Cores, ThatMayNotBeUsedAreNamed) {
  const std::vector<int> allowed{0, 1, 5};
  EXPECT_NO_THROW(check_cores(std::vector<int>{5, 0}, allowed));
  EXPECT_THAT(
      [&] {
        check_cores(std::vector<int>{0, 2}, allowed);
      },
      ThrowsMessage<base::Error>(HasSubstr("core 2 may not be used by this process; 0-1,5 may")));
}

TEST(Cores, ThatThisProcessMayUseAreNotThoseOfTheMachine) {
  const std::vector<int> before = allowed_cores();
  ASSERT_FALSE(before.empty());
  std::vector<int> inside;
  int usable = 0;
  int ran_on = -1;
  std::thread pinned([&] {
    keep_on_core(pthread_self(), before.back());
    inside = allowed_cores();
    usable = usable_cores();
    ran_on = sched_getcpu();
  });
  pinned.join();
  EXPECT_THAT(inside, ElementsAre(before.back()));
  EXPECT_EQ(usable, 1);
  EXPECT_EQ(ran_on, before.back());
  EXPECT_EQ(allowed_cores(), before);
}

class CgroupTest : public testing::Test {
 protected:
  void write(const base::fs::path& file, const std::string& content) const {
    base::make_directories((root() / file).parent_path());
    base::write_file_atomically(root() / file, content);
  }
  [[nodiscard]] base::fs::path root() const { return folder_.path(); }
  base::TemporaryDirectory folder_;
};

TEST_F(CgroupTest, LimitsCoresByTheLowestQuotaOnTheWayUp) {
  write("cpu.max", "max 100000\n");
  write("line/cpu.max", "150000 100000\n");
  write("line/camera/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota_cores(root(), "0::/line/camera\n"), 2);
  EXPECT_EQ(quota_cores(root(), "0::/\n"), std::nullopt);
  // A container that sees its own group at the top and the host's path in /proc.
  write("cpu.max", "50000 100000\n");
  EXPECT_EQ(quota_cores(root(), "0::/somewhere/else\n"), 1);
}

TEST_F(CgroupTest, OfTheFirstVersionLimitsCoresToo) {
  write("cpu/cpu.cfs_quota_us", "-1\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  write("cpu/line/cpu.cfs_quota_us", "300000\n");
  write("cpu/line/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota_cores(root(), "5:cpu,cpuacct:/line\n3:memory:/line\n0::/\n"), 3);
  EXPECT_EQ(quota_cores(root(), "5:cpuset:/line\nnonsense\n"), std::nullopt);
}

}  // namespace
}  // namespace andon::vision
