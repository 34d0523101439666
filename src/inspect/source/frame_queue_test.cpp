// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/frame_queue.hpp"

#include <gtest/gtest.h>

namespace andon::inspect {
namespace {

Frame frame(const std::string& name) {
  Frame result;
  result.name = name;
  return result;
}

TEST(FrameQueue, DropsTheOldestOfALiveSourceAndCountsIt) {
  FrameQueue queue(2);
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_TRUE(queue.push_dropping(frame(name)));
  EXPECT_EQ(queue.dropped(), 2U);
  EXPECT_EQ(queue.take({})->name, "c");
  EXPECT_EQ(queue.take({})->name, "d");
  EXPECT_FALSE(queue.take({}).has_value());
}

TEST(FrameQueue, MakesTheWriterOfAFileWaitAndLosesNothing) {
  constexpr int kFrames = 500;
  FrameQueue queue(2);
  std::thread writer([&] {
    for (int i = 0; i < kFrames; ++i) EXPECT_TRUE(queue.push_waiting(frame(std::to_string(i))));
    queue.close(std::nullopt);
  });
  for (int i = 0; i < kFrames;) {
    const auto taken = queue.take({});
    if (!taken) continue;
    EXPECT_EQ(taken->name, std::to_string(i));
    ++i;
  }
  writer.join();
  EXPECT_TRUE(queue.is_closed());
  EXPECT_EQ(queue.dropped(), 0U);
}

TEST(FrameQueue, SaysWhyNothingMoreComesOnceAllWasTaken) {
  FrameQueue queue(2);
  EXPECT_TRUE(queue.push_waiting(frame("a")));
  queue.close(base::Error(base::ErrorCode::data_corrupted, "torn"));
  EXPECT_TRUE(queue.take({}).has_value());
  EXPECT_THROW((void)queue.take({}), base::Error);
}

TEST(FrameQueue, LetsAWaitingWriterGoWhenStopped) {
  FrameQueue queue(1);
  EXPECT_TRUE(queue.push_waiting(frame("a")));
  std::thread writer([&] { EXPECT_FALSE(queue.push_waiting(frame("b"))); });
  queue.stop();
  writer.join();
  EXPECT_FALSE(queue.wait(std::chrono::hours(1)));
}

}  // namespace
}  // namespace andon::inspect
