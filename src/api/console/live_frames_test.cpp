// SPDX-License-Identifier: Apache-2.0
#include "api/console/live_frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::CommandPage;
using control::CommandStatus;
using testing::ElementsAre;
using testing::HasSubstr;

// A device that the test answers for.
class FakeCommands final : public FrameCommands {
 public:
  struct Started {
    std::string thing;
    fleet::CommandRequest request;
    std::string by;
  };
  std::string start(const std::string& thing, fleet::CommandRequest request,
                    const control::CommandAsker& asker) override {
    const std::lock_guard lock(mutex_);
    if (!refusal_.empty()) throw base::Error(base::ErrorCode::resource_exhausted, refusal_);
    started_.push_back({thing, std::move(request), asker.name});
    changed_.notify_all();
    return std::to_string(started_.size());
  }
  void read(const std::string&, std::uint64_t after, std::chrono::milliseconds,
            control::RunningCommands::Read done) override {
    const std::lock_guard lock(mutex_);
    after_ = after;
    reader_ = std::move(done);
    changed_.notify_all();
  }
  void cancel(const std::string& id, const std::string&) override {
    const std::lock_guard lock(mutex_);
    canceled_.push_back(id);
    changed_.notify_all();
  }

  void refuse(const std::string& why) {
    const std::lock_guard lock(mutex_);
    refusal_ = why;
  }
  // Answers whoever reads, once somebody does.
  void answer(CommandPage page) {
    control::RunningCommands::Read reader;
    {
      std::unique_lock lock(mutex_);
      ASSERT_TRUE(wait(lock, [this] { return static_cast<bool>(reader_); }));
      reader = std::exchange(reader_, {});
    }
    reader(page);
  }
  void answer(std::vector<fleet::CommandContent> contents) {
    CommandPage page{.outcome = {.status = CommandStatus::running}};
    for (fleet::CommandContent& content : contents) {
      page.answers.push_back({++sequence_, std::move(content)});
    }
    page.after = sequence_;
    answer(std::move(page));
  }
  void end(CommandStatus status, const std::string& code, json::object result = {}) {
    answer(CommandPage{.outcome = {status, code, "because of " + code, std::move(result)},
                       .after = sequence_,
                       .has_come_to_end = true});
  }
  void picture(const std::string& bytes) {
    answer({fleet::CommandProgress{0, bytes.size(), ""}, fleet::CommandData{bytes},
            fleet::CommandRow{{{"bytes", bytes.size()},
                               {"component", "com.ex.Inspect"},
                               {"frame", json::object{{"verdict", "NG"}}}}}});
  }
  std::vector<Started> started(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(wait(lock, [&] { return started_.size() >= count; }));
    return started_;
  }
  std::vector<std::string> canceled(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(wait(lock, [&] { return canceled_.size() >= count; }));
    return canceled_;
  }

 private:
  template <typename Condition>
  bool wait(std::unique_lock<std::mutex>& lock, Condition condition) {
    return changed_.wait_for(lock, std::chrono::seconds{20}, condition);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Started> started_;
  std::vector<std::string> canceled_;
  control::RunningCommands::Read reader_;
  std::string refusal_;
  std::uint64_t after_ = 0;
  std::uint64_t sequence_ = 0;
};

// What one viewer was told.
class Screen {
 public:
  LiveFrames::Told told() {
    return [this](const FrameText& text) {
      const std::lock_guard lock(mutex_);
      texts_.push_back(*text);
      changed_.notify_all();
    };
  }
  json::object last(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return texts_.size() >= count; }));
    return texts_.empty() ? json::object() : base::parse_json(texts_.back(), "told").as_object();
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return texts_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
};

class LiveFramesTest : public testing::Test {
 protected:
  LiveFramesTest() {
    auto device = std::make_unique<FakeCommands>();
    device_ = device.get();
    frames_.emplace(std::move(device));
  }
  std::uint64_t watch(Screen& screen, const std::string& thing = "line-1") {
    return frames_->watch({thing, ""}, {.principal = "user/1", .name = "eva"}, screen.told());
  }

  FakeCommands* device_ = nullptr;
  Screen first_;
  Screen second_;
  std::optional<LiveFrames> frames_;
};

TEST_F(LiveFramesTest, ManyViewersShareOneTakeAndALateOneGetsTheNewestAtOnce) {
  watch(first_);
  const auto started = device_->started(1);
  EXPECT_EQ(started[0].thing, "line-1");
  EXPECT_TRUE(started[0].request.follow);
  EXPECT_EQ(started[0].by, "eva");
  device_->picture("one");
  const json::object frame = first_.last(1);
  EXPECT_EQ(frame.at("jpeg"), "b25l");
  EXPECT_EQ(frame.at("frame").at("component"), "com.ex.Inspect");
  EXPECT_EQ(frame.at("frame").at("frame").at("verdict"), "NG");
  watch(second_);
  EXPECT_EQ(second_.last(1).at("jpeg"), "b25l");
  device_->picture("two");
  EXPECT_EQ(first_.last(2).at("jpeg"), "dHdv");
  EXPECT_EQ(second_.last(2).at("jpeg"), "dHdv");
  EXPECT_EQ(device_->started(1).size(), 1U);
  EXPECT_EQ(frames_->counts().frames, 2U);
  EXPECT_EQ(frames_->counts().shown, 3U);
}

TEST_F(LiveFramesTest, TheDeviceIsAskedNoMoreOnceNobodyLooks) {
  const std::uint64_t one = watch(first_);
  const std::uint64_t two = watch(second_);
  device_->picture("one");
  (void)first_.last(1);
  frames_->unwatch(one);
  device_->picture("two");
  (void)second_.last(2);
  EXPECT_EQ(first_.count(), 1U);
  frames_->unwatch(two);
  EXPECT_THAT(device_->canceled(1), ElementsAre("1"));
  EXPECT_EQ(frames_->counts().devices, 0U);
}

TEST_F(LiveFramesTest, WhatEndsItForOneCommandsLimitGoesOnWithTheNext) {
  watch(first_);
  device_->picture("one");
  (void)first_.last(1);
  device_->end(CommandStatus::failed, "resource_exhausted");
  EXPECT_EQ(device_->started(2).size(), 2U);
  device_->picture("two");
  EXPECT_EQ(first_.last(2).at("jpeg"), "dHdv");
}

TEST_F(LiveFramesTest, AnOlderAgentGivesOneFrameACommand) {
  watch(first_);
  device_->end(CommandStatus::failed, "invalid_argument");
  EXPECT_FALSE(device_->started(2)[1].request.follow);
  device_->answer({fleet::CommandProgress{0, 3, ""}, fleet::CommandData{"one"}});
  device_->end(CommandStatus::succeeded, "", {{"bytes", 3}});
  EXPECT_EQ(first_.last(1).at("jpeg"), "b25l");
  EXPECT_FALSE(device_->started(3)[2].request.follow);
}

TEST_F(LiveFramesTest, TroubleIsToldWithItsReason) {
  watch(first_);
  device_->end(CommandStatus::failed, "unavailable");
  const json::object trouble = first_.last(1);
  EXPECT_EQ(trouble.at("frameTrouble").at("code"), "unavailable");
  EXPECT_EQ(trouble.at("frameTrouble").at("thing"), "line-1");
  device_->refuse("4 commands are under way");
  watch(second_, "line-2");
  EXPECT_THAT(std::string(second_.last(1).at("frameTrouble").at("message").as_string()),
              HasSubstr("4 commands"));
}

TEST_F(LiveFramesTest, AFrameThatHasNotComeWholeIsNotShown) {
  watch(first_);
  device_->answer({fleet::CommandProgress{0, 6, ""}, fleet::CommandData{"one"},
                   fleet::CommandRow{{{"bytes", 6}}}});
  EXPECT_EQ(first_.last(1).at("frameTrouble").at("code"), "data_corrupted");
  device_->answer({fleet::CommandProgress{0, 6, ""}, fleet::CommandData{"half"}});
  device_->picture("two");  // begins anew
  EXPECT_EQ(first_.last(2).at("jpeg"), "dHdv");
}

TEST_F(LiveFramesTest, StoppingEndsWhatIsUnderWayAndWhatComesLaterWakesNobody) {
  watch(first_);
  (void)device_->started(1);
  frames_->stop();
  EXPECT_EQ(device_->canceled(1).size(), 1U);
  device_->picture("late");
  EXPECT_EQ(first_.count(), 0U);
}

}  // namespace
}  // namespace andon::api
