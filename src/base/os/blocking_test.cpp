// SPDX-License-Identifier: Apache-2.0
#include "base/os/blocking.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/os/file.hpp"

namespace andon::base {
namespace {

std::uint64_t counted_while(const auto& work) {
  const std::uint64_t before = forbidden_blocks();
  work();
  return forbidden_blocks() - before;
}

TEST(NoBlocking, CountsWhatBlocksOnItsThreadUntilItEnds) {
  EXPECT_EQ(counted_while([] { may_block("nothing"); }), 0U);
  EXPECT_EQ(counted_while([] {
              const NoBlocking outer;
              { const NoBlocking inner; }
              may_block("a test");
            }),
            1U);
  EXPECT_EQ(counted_while([] { may_block("nothing"); }), 0U);
}

TEST(NoBlocking, LeavesOtherThreadsAlone) {
  EXPECT_EQ(counted_while([] {
              const NoBlocking here;
              std::thread([] { may_block("elsewhere"); }).join();
            }),
            0U);
}

TEST(NoBlocking, NoticesAFileThatIsSynced) {
  const TemporaryDirectory directory;
  EXPECT_GE(counted_while([&] {
              const NoBlocking here;
              write_file_atomically(directory.path() / "file", "text");
            }),
            1U);
}

}  // namespace
}  // namespace andon::base
