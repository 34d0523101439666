// SPDX-License-Identifier: Apache-2.0
// What a camera's source makes of what a camera gives, with a camera that follows a script.
#include "inspect/video/camera_source.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>

#include "inspect/testing/waiting.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;
using Next = PictureStream::Next;
using Pace = PictureStream::Pace;

// What a camera does next; at the end of it there are only timeouts.
class Script {
 public:
  void add(Next next, int count = 1) {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < count; ++i) steps_.push_back(next);
  }
  [[nodiscard]] Next take() {
    const std::lock_guard lock(mutex_);
    if (steps_.empty()) return Next::timeout;
    const Next next = steps_.front();
    steps_.pop_front();
    return next;
  }

  std::atomic<int> opened = 0;
  std::atomic<int> asked = 0;

 private:
  std::mutex mutex_;  // guards the next
  std::deque<Next> steps_;
};

// One that takes pictures when it is asked gives `script` its steps only then.
class ScriptedCamera final : public PictureStream {
 public:
  ScriptedCamera(Script& script, Pace pace) : script_(script), pace_(pace) { ++script_.opened; }

  [[nodiscard]] Next next(std::chrono::milliseconds, vision::Image& into) override {
    if (pace_ == Pace::when_asked && !is_asked_) return Next::timeout;
    const Next next = script_.take();
    if (next != Next::timeout) is_asked_ = false;
    if (next == Next::picture) into = {{1, 1}, {1, 2, 3}};
    return next;
  }
  [[nodiscard]] Pace pace() const override { return pace_; }
  void ask() override {
    is_asked_ = true;
    ++script_.asked;
  }

 private:
  Script& script_;
  const Pace pace_;
  bool is_asked_ = false;
};

class CameraSourceTest : public testing::Test {
 protected:
  [[nodiscard]] CameraSource source(Pace pace, std::chrono::milliseconds silent_after = 30s) {
    return CameraSource([this, pace] { return std::make_unique<ScriptedCamera>(script_, pace); },
                        "camera://", "camera", clock_,
                        {.silent_after = silent_after, .first_pause = 1ms, .longest_pause = 1ms},
                        parts_ ? &*parts_ : nullptr);
  }
  std::shared_ptr<Part> push_part(const std::string& id) {
    auto part = std::make_shared<Part>(id, Part::Begin::triggered, std::chrono::steady_clock::now(),
                                       clock_.now());
    parts_->push(part);
    return part;
  }
  static std::optional<Frame> next(Source& source) {
    std::optional<Frame> frame;
    (void)wait_until([&] { return (frame = source.take({}, {})).has_value(); });
    return frame;
  }

  base::SystemClock clock_;
  Script script_;
  std::optional<PartQueue> parts_;
};

TEST_F(CameraSourceTest, OpensACameraThatFallsSilentAgain) {
  script_.add(Next::picture);
  CameraSource camera = source(Pace::by_itself, 0ms);
  EXPECT_TRUE(next(camera).has_value());
  EXPECT_TRUE(wait_until([&] { return camera.counts().reconnects >= 3; }));
}

TEST_F(CameraSourceTest, TakesNoOffenceAtTheSilenceOfACameraThatAnInputTriggers) {
  script_.add(Next::timeout, 1000);
  script_.add(Next::picture);
  CameraSource camera = source(Pace::by_input, 0ms);
  EXPECT_TRUE(next(camera).has_value());
  EXPECT_EQ(script_.opened, 1);
}

TEST_F(CameraSourceTest, CountsIncompleteFramesAndGivesNone) {
  script_.add(Next::incomplete, 3);
  script_.add(Next::picture);
  CameraSource camera = source(Pace::by_itself);
  EXPECT_TRUE(next(camera).has_value());
  EXPECT_EQ(camera.counts().incomplete, 3U);
  EXPECT_EQ(camera.counts().given, 1U);
}

TEST_F(CameraSourceTest, AsksACameraOnceForEachPartAndAgainWhereTheFrameWasIncomplete) {
  parts_.emplace();
  parts_->set_times(1h, 0ms);
  CameraSource camera = source(Pace::when_asked);
  script_.add(Next::picture);
  script_.add(Next::incomplete);
  script_.add(Next::picture);
  (void)push_part("A");
  (void)push_part("B");
  for (const char* id : {"A", "B"}) {
    const auto frame = next(camera);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->part->id(), id);
    EXPECT_TRUE(frame->has_pixels());
  }
  EXPECT_EQ(script_.asked, 3);
}

TEST_F(CameraSourceTest, GivesAFrameThatCameTooLateForItsPartToNoOther) {
  parts_.emplace();
  parts_->set_times(1h, 0ms);
  CameraSource camera = source(Pace::when_asked);
  const auto late = push_part("late");
  ASSERT_TRUE(wait_until([&] { return script_.asked == 1; }));
  (void)push_part("next");
  ASSERT_TRUE(parts_->take(*late));  // as it is when it has expired
  script_.add(Next::picture, 2);
  const auto frame = next(camera);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->part->id(), "next");
  EXPECT_EQ(script_.asked, 2);
}

TEST_F(CameraSourceTest, OpensACameraThatDoesNotAnswerWhenItIsAskedAgain) {
  parts_.emplace();
  parts_->set_times(1h, 0ms);
  CameraSource camera = source(Pace::when_asked, 0ms);
  (void)push_part("A");
  EXPECT_TRUE(wait_until([&] { return camera.counts().reconnects >= 2; }));
  EXPECT_FALSE(parts_->is_empty());
}

TEST_F(CameraSourceTest, DoesNotWaitForACameraThatNobodyWouldAsk) {
  const CameraSource camera = source(Pace::when_asked);
  EXPECT_TRUE(wait_until([&] { return camera.counts().reconnects >= 1; }));
  EXPECT_EQ(script_.asked, 0);
}

}  // namespace
}  // namespace andon::inspect
