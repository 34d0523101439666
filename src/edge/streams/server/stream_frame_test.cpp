// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_frame.hpp"

#include <gtest/gtest.h>

namespace andon::edge {
namespace {

using Kind = StreamFrameReader::Kind;

class StreamFrameTest : public ::testing::Test {
 protected:
  // Kind and payload of all that `bytes` hold, fed so many at a time.
  std::vector<std::pair<Kind, std::string>> read(std::string_view bytes, std::size_t at_once) {
    StreamFrameReader reader({.frame_bytes = 100, .free_bytes = 10}, budget_);
    std::vector<std::pair<Kind, std::string>> events;
    while (!bytes.empty()) {
      reader.feed(bytes.substr(0, at_once));
      bytes.remove_prefix(std::min(at_once, bytes.size()));
      while (const auto event = reader.next()) events.emplace_back(event->kind, event->payload);
    }
    return events;
  }

  std::shared_ptr<FrameBudget> budget_ = std::make_shared<FrameBudget>(FrameBudget{60});
};

TEST_F(StreamFrameTest, ReadsFramesHoweverTheyCome) {
  const std::string bytes = "\1" + encode_frame(4, "first") + encode_frame(5, "second") +
                            encode_frame(4, std::string(40, 'x'));
  const std::vector<std::pair<Kind, std::string>> expected{{Kind::version, ""},
                                                           {Kind::frame, "first"},
                                                           {Kind::frame, "second"},
                                                           {Kind::frame, std::string(40, 'x')}};
  for (const std::size_t at_once : {1U, 2U, 7U, 1000U}) EXPECT_EQ(read(bytes, at_once), expected);
  EXPECT_EQ(budget_->bytes_left, 60U);
}

TEST_F(StreamFrameTest, PassesOverWhatIsTooLargeAndGoesOn) {
  const std::string large = "begins" + std::string(5000, 'x');
  const std::string bytes = "\1" + encode_frame(4, large) + encode_frame(4, "next") +
                            encode_frame(4, std::string(70, 'y')) + encode_frame(4, "last");
  for (const std::size_t at_once : {1U, 13U, 10'000U}) {
    const auto events = read(bytes, at_once);
    ASSERT_EQ(events.size(), 5U) << at_once;
    EXPECT_EQ(events[1].first, Kind::too_large);
    EXPECT_EQ(events[1].second, large.substr(0, 512));
    EXPECT_EQ(events[2].second, "next");
    EXPECT_EQ(events[3].first, Kind::too_large);  // more than is left of what all may keep
    EXPECT_EQ(events[4].second, "last");
  }
}

TEST_F(StreamFrameTest, ALengthThatCannotBeEndsIt) {
  for (const std::string& length : {std::string("\0\0\0\1", 4), std::string("\x7f\xff\xff\xff", 4),
                                    std::string("\xff\xff\xff\xff", 4)}) {
    const auto events = read("\1" + length + "\4" + std::string(100, 'x'), 1000);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[1].first, Kind::malformed);
  }
}

}  // namespace
}  // namespace andon::edge
