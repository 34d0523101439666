// SPDX-License-Identifier: Apache-2.0
// Fails every test in which a loop's thread blocked: synced a file, ran a database transaction,
// joined a thread, unpacked an archive.
#include <gtest/gtest.h>

#include "base/os/blocking.hpp"

namespace andon::edge {
namespace {

class NoBlockingCheck final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { before_ = base::forbidden_blocks(); }
  void OnTestEnd(const testing::TestInfo& test) override {
    EXPECT_EQ(base::forbidden_blocks(), before_)
        << "the loop's thread blocked in " << test.name() << "; the log has the places";
  }
  std::uint64_t before_ = 0;
};

const bool kInstalled = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new NoBlockingCheck);
  return true;
}();

}  // namespace
}  // namespace andon::edge
