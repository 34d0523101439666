// SPDX-License-Identifier: Apache-2.0
#include "base/os/cores.hpp"

#include <gtest/gtest.h>

namespace andon::base {
namespace {

class CgroupTest : public testing::Test {
 protected:
  void write(const fs::path& file, const std::string& content) const {
    make_directories((root() / file).parent_path());
    write_file_atomically(root() / file, content);
  }
  [[nodiscard]] fs::path root() const { return folder_.path(); }
  TemporaryDirectory folder_;
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
}  // namespace andon::base
