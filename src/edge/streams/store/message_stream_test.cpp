// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/message_stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace andon::edge {
namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;

class MessageStreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<MessageStream> open(const std::string& boot = "boot-1") {
    return std::make_unique<MessageStream>(MessageStream::Place{1, directory_.path(), boot},
                                           definition_);
  }
  static void fill(MessageStream& stream, int count, std::size_t bytes = 100) {
    for (int i = 0; i < count; ++i) stream.append(std::string(bytes, 'x'), kNow + i);
  }
  std::vector<fs::path> segments() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      if (Segment::first_of_name(entry.path()) >= 0) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }
  static void flip_byte(const fs::path& file, std::int64_t at) {
    const base::UniqueFd fd = base::open_file(file, O_RDWR);
    char byte = 0;
    ASSERT_EQ(pread(fd.get(), &byte, 1, at), 1);
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_EQ(pwrite(fd.get(), &byte, 1, at), 1);
  }

  base::TemporaryDirectory directory_;
  StreamDefinition definition_{.name = "s", .max_size = 10'000, .segment_size = 1'000};
};

TEST_F(MessageStreamTest, NumbersAndKeepsMessagesOverRestarts) {
  {
    const auto stream = open();
    EXPECT_EQ(stream->newest(), -1);
    EXPECT_EQ(stream->oldest(), 0);
    fill(*stream, 25);
  }
  const auto stream = open();
  EXPECT_EQ(stream->newest(), 24);
  EXPECT_EQ(stream->total_bytes(), 2'500);
  EXPECT_EQ(segments().size(), 3U);
  const auto messages = stream->read(8, 100, 1U << 20U);
  ASSERT_EQ(messages.size(), 17U);
  EXPECT_EQ(messages.front().sequence, 8);
  EXPECT_EQ(messages.back().sequence, 24);
  EXPECT_EQ(messages.front().ingest_ms, kNow + 8);
  EXPECT_EQ(stream->append("next", kNow), 25);
}

TEST_F(MessageStreamTest, ReadsFromWhereAReaderHasBeenAcrossSegments) {
  const auto stream = open();
  std::int64_t next = 0;
  for (int i = 0; i < 60; ++i) {
    stream->append("message " + std::to_string(i), kNow);
    if (i % 7 != 0) continue;
    for (const auto& message : stream->read(next, 5, 1U << 20U)) {
      EXPECT_EQ(message.payload, "message " + std::to_string(next));
      EXPECT_EQ(message.sequence, next++);
    }
  }
  EXPECT_GT(next, 30);
}

TEST_F(MessageStreamTest, RefusesWhatDoesNotFitAndKeepsWhatIsThere) {
  const auto stream = open();
  EXPECT_THROW(stream->append(std::string(1'001, 'x'), kNow), StreamError);
  fill(*stream, 10, 1'000);
  try {
    stream->append("x", kNow);
    FAIL();
  } catch (const StreamError& error) {
    EXPECT_EQ(error.status(), StreamStatus::invalid_request);
    EXPECT_TRUE(error.message().starts_with("StreamFull")) << error.message();
  }
  EXPECT_EQ(stream->read(0, 100, 1U << 20U).size(), 10U);
}

TEST_F(MessageStreamTest, OverwritesTheOldestByWholeSegments) {
  definition_.overwrites_oldest = true;
  const auto stream = open();
  std::vector<std::int64_t> kept;
  stream->on_drop([&](MessageStream&, std::int64_t first) { kept.push_back(first); });
  fill(*stream, 101);
  EXPECT_EQ(stream->oldest(), 10);
  EXPECT_LE(stream->total_bytes(), 10'000);
  EXPECT_EQ(kept, std::vector<std::int64_t>{10});
  EXPECT_EQ(stream->read(0, 1, 1)[0].sequence, 10);
}

TEST_F(MessageStreamTest, CutsWhatACrashHasLeftOfARecordAndGoesOn) {
  {
    const auto stream = open();
    fill(*stream, 5);
  }
  const fs::path file = segments().back();
  fs::resize_file(file, fs::file_size(file) - 50);
  const auto stream = open();
  const std::int64_t next = stream->append("after", kNow);
  EXPECT_GT(next, 4);  // the lost number is not given again
  EXPECT_EQ(stream->read(0, 100, 1U << 20U).size(), 5U);
  EXPECT_EQ(stream->read(4, 1, 1)[0].payload, "after");
}

TEST_F(MessageStreamTest, LosesOnlyTheMessageWhoseBytesWereFlipped) {
  {
    const auto stream = open();
    fill(*stream, 30);
  }
  flip_byte(segments().front(), 3 * (100 + 28) + 60);  // in the fourth message
  const auto stream = open();
  EXPECT_EQ(stream->newest(), 29);
  EXPECT_EQ(stream->read(0, 100, 1U << 20U).size(), 3U);
  EXPECT_THROW(static_cast<void>(stream->read(3, 1, 1)), StreamError);
  EXPECT_EQ(stream->first_whole(3), 4);
  EXPECT_EQ(stream->read(4, 100, 1U << 20U).size(), 26U);
}

TEST_F(MessageStreamTest, StartsWithASegmentThatIsNothingButGarbage) {
  {
    const auto stream = open();
    fill(*stream, 30);
  }
  const base::UniqueFd fd = base::open_file(segments().back(), O_WRONLY | O_TRUNC);
  base::write_all(fd.get(), std::string(700, '\7'), "garbage");
  const auto stream = open();
  EXPECT_EQ(stream->read(0, 100, 1U << 20U).size(), 20U);
  EXPECT_GE(stream->append("after", kNow), 30);
}

TEST_F(MessageStreamTest, NeverGivesANumberTwiceAfterTheMachineHasEnded) {
  {
    const auto stream = open("boot-1");
    fill(*stream, 5);
  }
  fs::remove(segments().back());  // was never synced
  {
    const auto stream = open("boot-2");
    EXPECT_GE(stream->append("x", kNow), 5);
    stream->close();
  }
  const auto exact = open("boot-3")->next();
  EXPECT_EQ(open("boot-4")->next(), exact);  // an orderly end leaves no gap
}

TEST_F(MessageStreamTest, DropsSegmentsThatHaveOutlivedTheirTimeAndKeepsTheNumbers) {
  definition_.time_to_live_ms = 60'000;
  {
    const auto stream = open();
    fill(*stream, 25);
    EXPECT_EQ(stream->expire(kNow + 59'000), kNow + 9 + 60'000);
    EXPECT_EQ(stream->oldest(), 0);
    stream->expire(kNow + 60'015);
    EXPECT_EQ(stream->oldest(), 10);
    stream->expire(kNow + 120'000);
    EXPECT_TRUE(stream->is_empty());
    EXPECT_EQ(stream->newest(), 24);
  }
  EXPECT_EQ(open()->append("x", kNow), 25);
}

TEST_F(MessageStreamTest, ABusyStreamExpiresToo) {
  definition_.time_to_live_ms = 60'000;
  const auto stream = open();
  for (int second = 0; second < 300; ++second) {
    stream->append("x", kNow + second * 1'000);
    stream->expire(kNow + second * 1'000);
  }
  EXPECT_GT(stream->oldest(), 180);
}

TEST_F(MessageStreamTest, InMemoryTouchesNoDisk) {
  definition_.is_in_memory = true;
  const auto stream = open();
  fill(*stream, 50);
  EXPECT_EQ(stream->read(20, 100, 1U << 20U).size(), 30U);
  stream->flush();
  stream->close();
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

}  // namespace
}  // namespace andon::edge
