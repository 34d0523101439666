// SPDX-License-Identifier: Apache-2.0
// A command from the question to its end, with a device that answers, repeats itself, is silent,
// is another one, or says too much; time is the test's.
#include "control/commands/running_commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kId = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

class RunningCommandsTest : public testing::Test {
 protected:
  void ask(const std::string& id = kId, const std::string& thing = "line-1",
           fleet::CommandKind kind = fleet::CommandKind::logs) {
    commands_.reserve(thing, {.id = id, .kind = kind, .deadline = seconds(600)}, now_);
    commands_.begin(id, now_);
  }
  void pass(milliseconds time) {
    now_ += time;
    commands_.tick(now_);
  }
  void alive(const std::string& thing = "line-1") {
    commands_.take(thing, kId, to_message(fleet::CommandSign::alive), now_);
  }
  void say(std::uint64_t sequence, const std::string& text, const std::string& thing = "line-1") {
    const fleet::CommandAnswer answer{sequence, fleet::CommandText{text, false}};
    commands_.take(thing, kId, to_message(answer), now_);
  }
  void end(std::uint64_t sequence, const std::string& error = "") {
    const fleet::CommandAnswer answer{sequence, fleet::CommandEnd{error, "why", {}}};
    commands_.take("line-1", kId, to_message(answer), now_);
  }
  // What a reader gets, "-" where it still waits.
  std::string read(std::uint64_t after, milliseconds wait = milliseconds(0)) {
    page_.reset();
    commands_.read(
        kId, after, wait, [this](const CommandPage& page) { page_ = page; }, now_);
    return come();
  }
  std::string come() const {
    if (!page_) return "-";
    std::string text;
    for (const auto& answer : page_->answers) {
      text += std::get<fleet::CommandText>(answer.content).text;
    }
    if (page_->has_come_to_end) text += "." + std::string(to_string(page_->outcome.status));
    return text;
  }
  std::vector<std::string> sent(std::string_view word) {
    std::vector<std::string> all;
    for (const auto& [one, payload] : sent_) {
      if (one == word) all.push_back(payload);
    }
    return all;
  }
  std::string status() { return std::string(to_string(commands_.outcome(kId)->status)); }
  fleet::CommandGrant last_grant() { return fleet::parse_command_grant(sent("grant").back()); }

  RunningCommands::Instant now_{seconds(1000)};
  std::vector<std::pair<std::string, std::string>> sent_;
  std::optional<CommandPage> page_;
  RunningCommands commands_{
      [this](const std::string&, std::string_view word, const std::string& payload) {
        sent_.emplace_back(word, payload);
      },
      {}};
};

TEST_F(RunningCommandsTest, IsAskedAgainUntilTheDeviceAnswersAndGetsItsAnswersInOrder) {
  ask();
  pass(seconds(1));
  EXPECT_EQ(sent("ask").size(), 1U);
  pass(seconds(2));
  ASSERT_EQ(sent("ask").size(), 2U);
  // What is left of its time, and the same command.
  const auto again = fleet::parse_command_request(sent("ask").back());
  EXPECT_EQ(again.id, kId);
  EXPECT_EQ(again.deadline, seconds(597));
  EXPECT_EQ(status(), "WAITING");
  alive();
  EXPECT_EQ(status(), "RUNNING");
  EXPECT_EQ(read(0, seconds(10)), "-");
  say(1, "a");
  EXPECT_EQ(come(), "a");
  say(2, "b");
  EXPECT_EQ(read(0), "ab");  // nobody has said yet that he has the first
  EXPECT_EQ(read(1), "b");
  end(3);
  EXPECT_EQ(read(2), ".SUCCEEDED");
  EXPECT_EQ(last_grant(), (fleet::CommandGrant{kId, 3, 1 + fleet::kCommandWindow}));
  pass(seconds(10));
  EXPECT_EQ(sent("ask").size(), 2U);
}

TEST_F(RunningCommandsTest, WhatComesTwiceLateOrOutOfOrderIsDropped) {
  ask();
  say(2, "b");
  EXPECT_EQ(read(0), "");
  say(1, "a");
  say(1, "A");
  say(2, "b");
  EXPECT_EQ(read(0), "ab");
  commands_.take("line-1", kId, "no answer", now_);
  end(3);
  say(4, "late");
  EXPECT_EQ(read(2), ".SUCCEEDED");
  EXPECT_EQ(commands_.counts().dropped, 4U);
  EXPECT_EQ(sent("cancel").size(), 1U);  // who comes late may stop
  EXPECT_THAT(commands_.ended(), testing::SizeIs(1));
}

TEST_F(RunningCommandsTest, AnotherDeviceCannotAnswerIt) {
  ask();
  say(1, "forged", "line-10");
  alive("line-10");
  EXPECT_EQ(status(), "WAITING");
  EXPECT_EQ(read(0), "");
}

TEST_F(RunningCommandsTest, HoldsNoMoreThanItsWindowUntilSomebodyReads) {
  ask();
  for (std::uint64_t i = 1; i <= fleet::kCommandWindow + 3; ++i) say(i, "x");
  EXPECT_EQ(read(0), std::string(fleet::kCommandWindow, 'x'));
  EXPECT_EQ(last_grant().received, fleet::kCommandWindow);
  EXPECT_EQ(read(fleet::kCommandWindow), "");
  EXPECT_EQ(last_grant().until, 2 * fleet::kCommandWindow);
  say(fleet::kCommandWindow + 1, "y");
  EXPECT_EQ(read(fleet::kCommandWindow), "y");
}

TEST_F(RunningCommandsTest, AnswersAreBoundedInAll) {
  ask();
  const std::string large(fleet::kMostAnswerBytes, 'x');
  std::uint64_t sequence = 0;
  while (status() != "FAILED" && sequence < 10'000) {
    say(++sequence, large);
    if (status() == "RUNNING") (void)read(sequence);
  }
  EXPECT_EQ(sequence, fleet::kMostCommandBytes / fleet::kMostAnswerBytes + 1);
  EXPECT_EQ(commands_.outcome(kId)->error_code, "resource_exhausted");
  EXPECT_EQ(sent("cancel").size(), 1U);
}

TEST_F(RunningCommandsTest, ADeviceThatIsAbsentEndsItAtTheDeadline) {
  ask();
  EXPECT_EQ(read(0, seconds(700)), "-");
  pass(seconds(599));
  EXPECT_EQ(come(), "-");
  pass(seconds(1));
  EXPECT_EQ(come(), ".TIMED_OUT");
  EXPECT_THAT(page_->outcome.error, HasSubstr("line-1 did not answer within 600 s"));
  EXPECT_EQ(page_->outcome.error_code, "deadline_exceeded");
}

TEST_F(RunningCommandsTest, ADeviceThatFallsSilentIsLookedAfterAndThenGivenUp) {
  ask();
  alive();
  EXPECT_EQ(read(0, seconds(100)), "-");
  const std::size_t grants = sent("grant").size();
  pass(seconds(8));
  EXPECT_EQ(sent("grant").size(), grants + 1);
  pass(seconds(8));
  alive();
  pass(seconds(20));
  EXPECT_EQ(status(), "RUNNING");
  pass(seconds(6));
  EXPECT_EQ(come(), ".FAILED");
  EXPECT_EQ(page_->outcome.error_code, "unavailable");
}

TEST_F(RunningCommandsTest, AnAgentThatWasStartedAnewEndsIt) {
  ask();
  commands_.take("line-1", kId, to_message(fleet::CommandSign::unknown), now_);
  EXPECT_EQ(status(), "WAITING");  // it has not had it yet
  alive();
  commands_.take("line-1", kId, to_message(fleet::CommandSign::unknown), now_);
  EXPECT_EQ(status(), "FAILED");
  EXPECT_THAT(commands_.outcome(kId)->error, HasSubstr("started anew"));
}

TEST_F(RunningCommandsTest, EndsWhereNobodyReadsItSoonerWhereTheReaderHasGone) {
  ask();
  alive();
  EXPECT_EQ(read(0, seconds(20)), "-");
  commands_.reader_gone(kId, now_);
  pass(seconds(4));
  EXPECT_EQ(read(0), "");  // he is back
  for (int i = 0; i < 11; ++i) {
    alive();
    pass(seconds(5));
  }
  EXPECT_EQ(status(), "RUNNING");
  pass(seconds(5));
  EXPECT_EQ(status(), "CANCELED");
  EXPECT_EQ(sent("cancel").size(), 1U);
}

TEST_F(RunningCommandsTest, CanBeCanceledOnce) {
  ask();
  EXPECT_TRUE(commands_.cancel(kId, "canceled by eva", now_));
  EXPECT_FALSE(commands_.cancel(kId, "canceled by eva", now_));
  EXPECT_EQ(read(0), ".CANCELED");
  EXPECT_EQ(page_->outcome.error, "canceled by eva");
}

TEST_F(RunningCommandsTest, TheDevicesErrorIsTheCommands) {
  ask();
  end(1, "permission_denied");
  EXPECT_EQ(read(0), ".FAILED");
  EXPECT_EQ(page_->outcome.error_code, "permission_denied");
  EXPECT_EQ(page_->outcome.error, "why");
}

TEST_F(RunningCommandsTest, APlaceThatIsNoneIsRefused) {
  ask();
  say(1, "a");
  say(2, "b");
  (void)read(1);
  EXPECT_THROW((void)read(0), base::Error);
  EXPECT_THROW((void)read(3), base::Error);
  EXPECT_THROW(commands_.read(
                   "nobody", 0, seconds(0), [](const auto&) {}, now_),
               base::Error);
}

TEST_F(RunningCommandsTest, ThereAreNoMoreAtATimeThanTheLimitsSay) {
  const auto id = [](int number) {
    return kId.substr(0, kId.size() - 4) + std::to_string(1000 + number);
  };
  for (int i = 0; i < 4; ++i) ask(id(i));
  EXPECT_THROW(ask(id(5)), base::Error);
  ask(id(6), "line-2");
  EXPECT_TRUE(commands_.cancel(id(0), "", now_));
  ask(id(5));
  for (int i = 10; i < 10 + 195; ++i) ask(id(i), "line-" + std::to_string(i));
  EXPECT_THROW(ask(id(300), "line-300"), base::Error);
  EXPECT_EQ(commands_.counts().running, 200U);
}

TEST_F(RunningCommandsTest, WhatWasReadToItsEndMakesRoomForMore) {
  const auto id = [](int number) {
    return kId.substr(0, kId.size() - 4) + std::to_string(1000 + number);
  };
  for (int i = 0; i < 400; ++i) {
    ask(id(i));
    EXPECT_TRUE(commands_.cancel(id(i), "", now_));
  }
  EXPECT_THROW(ask(id(400)), base::Error);  // somebody may still read each of them
  now_ += seconds(1);
  commands_.read(
      id(7), 0, seconds(0), [](const CommandPage&) {}, now_);
  ask(id(400));
  EXPECT_FALSE(commands_.outcome(id(7)));
  EXPECT_TRUE(commands_.outcome(id(8)));
  EXPECT_THROW(ask(id(401)), base::Error);
}

TEST_F(RunningCommandsTest, WhatIsOverIsKeptForAWhileAndThenForgotten) {
  ask();
  say(1, "a");
  end(2);
  pass(seconds(100));
  EXPECT_EQ(read(0), "a.SUCCEEDED");
  commands_.settle(kId);
  EXPECT_THAT(commands_.ended(), IsEmpty());
  pass(seconds(30));
  EXPECT_FALSE(commands_.outcome(kId));
}

TEST_F(RunningCommandsTest, APlaceThatWasTakenAndNotUsedIsGivenBack) {
  commands_.reserve("line-1", {.id = kId}, now_);
  commands_.forget(kId);
  EXPECT_FALSE(commands_.outcome(kId));
  EXPECT_THAT(sent_, IsEmpty());
}

}  // namespace
}  // namespace andon::control
