// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/triggered_source.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "inspect/source/list_source.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

class TriggeredSourceTest : public testing::Test {
 protected:
  TriggeredSourceTest() {
    std::vector<base::fs::path> files;
    for (const char* name : {"a.jpg", "b.jpg"}) {
      files.push_back(folder_.path() / name);
      base::write_file_atomically(files.back(), "picture");
    }
    parts_.set_times(1h, 0ms);
    source_.emplace(std::make_unique<ListSource>(files), parts_);
  }
  std::optional<Frame> take() { return source_->take(clock_.now(), {}); }
  std::shared_ptr<Part> trigger(const std::string& id) {
    auto part = std::make_shared<Part>(id, Part::Begin::triggered, std::chrono::steady_clock::now(),
                                       clock_.now());
    parts_.push(part);
    return part;
  }

  const base::SystemClock clock_;
  base::TemporaryDirectory folder_;
  PartQueue parts_;
  std::optional<TriggeredSource> source_;
};

TEST_F(TriggeredSourceTest, GivesAPictureOnlyToAPartThatWaitsForOne) {
  EXPECT_FALSE(take().has_value());
  EXPECT_FALSE(source_->look_again_at(clock_.now()).has_value());
  const auto part = trigger("A");
  pollfd polled{source_->fd(), POLLIN, 0};
  EXPECT_TRUE(source_->fd() == -1 || poll(&polled, 1, 0) == 1);
  const auto frame = take();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->name, "a.jpg");
  EXPECT_EQ(frame->part.get(), part.get());
  EXPECT_FALSE(take().has_value());
  EXPECT_FALSE(source_->is_finished());
  trigger("B");
  EXPECT_EQ(take()->part->id(), "B");
  EXPECT_TRUE(source_->is_finished());
}

TEST_F(TriggeredSourceTest, GivesAPartWithoutAPictureAFrameThatSaysSo) {
  trigger("A");
  trigger("B");
  trigger("C");
  EXPECT_TRUE(take().has_value());
  EXPECT_TRUE(take().has_value());
  EXPECT_FALSE(take().has_value());
  EXPECT_TRUE(source_->look_again_at(clock_.now()).has_value());
  parts_.close();
  const auto frame = take();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->name, "C");
  EXPECT_EQ(frame->part->id(), "C");
  ASSERT_TRUE(frame->problem.has_value());
  EXPECT_EQ(frame->problem->code(), base::ErrorCode::deadline_exceeded);
}

}  // namespace
}  // namespace andon::inspect
