// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/part_queue.hpp"

#include <gtest/gtest.h>
#include <poll.h>

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

const Instant kStart = Instant{} + 1h;

std::shared_ptr<Part> part(const std::string& id, Instant at) {
  return std::make_shared<Part>(id, Part::Begin::triggered, at, base::Timestamp{});
}

bool is_readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

class PartQueueTest : public testing::Test {
 protected:
  PartQueueTest() { parts_.set_times(2s, 100ms); }
  std::string take(Instant now) {
    const auto taken = parts_.take(now);
    return taken ? taken->id() : "none";
  }
  std::string take_expired(Instant now) {
    const auto taken = parts_.take_expired(now);
    return taken ? taken->id() : "none";
  }

  PartQueue parts_;
};

TEST_F(PartQueueTest, SaysWhichPartWaitsAndGivesThePictureThatWasTakenForItToNoOther) {
  EXPECT_EQ(parts_.wait_for_part(0ms), nullptr);
  parts_.push(part("A", kStart));
  parts_.push(part("B", kStart));
  const auto first = parts_.wait_for_part(0ms);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->id(), "A");
  EXPECT_EQ(take_expired(kStart + 2s), "A");
  EXPECT_FALSE(parts_.take(*first));
  const auto second = parts_.wait_for_part(0ms);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->id(), "B");
  EXPECT_TRUE(parts_.take(*second));
  EXPECT_TRUE(parts_.is_empty());
}

TEST_F(PartQueueTest, GivesPartsInOrderToPicturesThatCameAfterTheirTriggers) {
  EXPECT_EQ(take(kStart), "none");
  parts_.push(part("A", kStart));
  parts_.push(part("B", kStart + 50ms));
  EXPECT_TRUE(is_readable(parts_.fd()));
  // A camera's frame on its way when the trigger came was taken before it.
  EXPECT_EQ(take(kStart + 99ms), "none");
  EXPECT_EQ(take(kStart + 100ms), "A");
  EXPECT_EQ(take(kStart + 100ms), "none");
  EXPECT_EQ(take(kStart + 150ms), "B");
  EXPECT_EQ(take(kStart + 150ms), "none");
  EXPECT_FALSE(is_readable(parts_.fd()));
}

TEST_F(PartQueueTest, GivesUpAPartWhosePictureDoesNotComeSoThatTheNextIsTheNextPartsPicture) {
  parts_.push(part("A", kStart));
  parts_.push(part("B", kStart + 1s));
  EXPECT_EQ(parts_.expires_at(), kStart + 2s);
  EXPECT_EQ(take_expired(kStart + 2s - 1ms), "none");
  EXPECT_EQ(take_expired(kStart + 2s), "A");
  EXPECT_EQ(take(kStart + 2s), "B");
}

TEST_F(PartQueueTest, GivesAPartTheNextPictureWhereItsOwnWasNone) {
  parts_.push(part("A", kStart));
  parts_.push(part("B", kStart));
  parts_.give_back(parts_.take(kStart + 1s));
  EXPECT_EQ(take(kStart + 1s), "A");
}

TEST_F(PartQueueTest, GivesUpAllAtTheEnd) {
  parts_.push(part("A", kStart));
  parts_.close();
  EXPECT_FALSE(parts_.has_room());
  EXPECT_EQ(take_expired(kStart), "A");
  EXPECT_TRUE(parts_.is_empty());
}

TEST_F(PartQueueTest, HasABound) {
  for (std::size_t i = 0; i < PartQueue::kMostWaiting; ++i) parts_.push(part("A", kStart));
  EXPECT_FALSE(parts_.has_room());
}

}  // namespace
}  // namespace andon::inspect
