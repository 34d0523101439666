// SPDX-License-Identifier: Apache-2.0
// Commands on a device whose server asks, grants, repeats itself, falls silent; time is the test's.
#include "edge/commands/command_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/error/error.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/mqtt_link_fake.hpp"

namespace andon::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kId = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
const std::string kTopics = "cmd/andon/dev1/commands/";

std::string id_of(int number) {
  return kId.substr(0, kId.size() - 4) + std::to_string(1000 + number);
}

class CommandRunnerTest : public testing::Test {
 protected:
  CommandRunnerTest() {
    runner_.emplace(loop_, link_, "dev1",
                    [this](const fleet::CommandRequest& request, const Cancellation& cancellation,
                           CommandOutput& output) {
                      ++begun_;
                      return work_(request, cancellation, output);
                    });
    link_.connect(true);
  }
  ~CommandRunnerTest() override { runner_.reset(); }

  void ask(const std::string& id = kId, std::chrono::seconds deadline = std::chrono::seconds(600)) {
    link_.arrive(kTopics + "ask",
                 to_message(fleet::CommandRequest{
                     .id = id, .kind = fleet::CommandKind::doctor, .deadline = deadline}));
  }
  void grant(std::uint64_t received, std::uint64_t until, const std::string& id = kId) {
    link_.arrive(kTopics + "grant", to_message(fleet::CommandGrant{id, received, until}));
  }
  // What was said of it so far: its answers' numbers, "." behind the end's, "alive", "unknown".
  std::vector<std::string> said(const std::string& id = kId) {
    std::vector<std::string> all;
    for (const auto& one : link_.published) {
      if (one.message.topic != "andon/things/dev1/commands/" + id) continue;
      const fleet::CommandMessage message = fleet::parse_command_message(one.message.payload);
      if (const auto* answer = std::get_if<fleet::CommandAnswer>(&message)) {
        all.push_back(std::to_string(answer->sequence) + (answer->is_end() ? "." : ""));
        if (answer->is_end()) end_ = std::get<fleet::CommandEnd>(answer->content);
      } else {
        all.emplace_back(std::get<fleet::CommandSign>(message) == fleet::CommandSign::alive
                             ? "alive"
                             : "unknown");
      }
    }
    return all;
  }
  bool wait_until_said(const std::string& last, const std::string& id = kId) {
    return run_fast_until(loop_, clock_, [&] {
      const auto all = said(id);
      return !all.empty() && all.back() == last;
    });
  }
  void settle() {
    (void)loop_.run_until([] { return false; }, std::chrono::milliseconds(50));
  }

  FakeLoopClock clock_;
  EventLoop loop_{clock_};
  FakeMqttLink link_;
  std::atomic<int> begun_ = 0;
  std::function<json::object(const fleet::CommandRequest&, const Cancellation&, CommandOutput&)>
      work_ = [](const auto&, const Cancellation&, CommandOutput& output) {
        output.row({{"a", 1}});
        return json::object{{"b", 2}};
      };
  fleet::CommandEnd end_;
  std::optional<CommandRunner> runner_;
};

TEST_F(CommandRunnerTest, IsCarriedOutOnceAndSaysThatItIsAtItAndWhatCameOfIt) {
  ask();
  ask();
  ASSERT_TRUE(wait_until_said("2."));
  EXPECT_THAT(said().front(), "alive");
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(end_.error, "");
  EXPECT_EQ(end_.result, (json::object{{"b", 2}}));
  grant(2, 10);
  link_.published.clear();
  ask();  // late, and over
  settle();
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_EQ(begun_, 1);
}

TEST_F(CommandRunnerTest, WhatTheServerHasNotGotIsSentAgainInOrder) {
  ask();
  ASSERT_TRUE(wait_until_said("2."));
  link_.published.clear();
  ASSERT_TRUE(wait_until_said("2."));  // by time
  grant(1, 10);
  link_.published.clear();
  link_.connect(true);  // a new connection
  EXPECT_THAT(said(), ElementsAre("2."));
}

TEST_F(CommandRunnerTest, SendsNoMoreThanTheServerHasRoomFor) {
  work_ = [](const auto&, const Cancellation&, CommandOutput& output) {
    for (int i = 0; i < 20; ++i) output.text("line\n");
    return json::object{};
  };
  ask();
  ASSERT_TRUE(wait_until_said(std::to_string(fleet::kCommandWindow)));
  settle();
  link_.published.clear();
  grant(8, 10);
  ASSERT_TRUE(wait_until_said("10"));
  settle();
  EXPECT_THAT(said(), ElementsAre("9", "10"));
  grant(10, 16);
  ASSERT_TRUE(wait_until_said("16"));
  grant(16, 24);
  ASSERT_TRUE(wait_until_said("21."));
}

TEST_F(CommandRunnerTest, AnErrorEndsItWithItsCode) {
  work_ = [](const auto&, const Cancellation&, CommandOutput&) -> json::object {
    throw base::Error(base::ErrorCode::not_found, "there is none");
  };
  ask();
  ASSERT_TRUE(wait_until_said("1."));
  EXPECT_EQ(end_.error, "not_found");
  EXPECT_EQ(end_.message, "there is none");
}

TEST_F(CommandRunnerTest, ItsDeadlineEndsItAndSignsOfLifeComeUntilThen) {
  work_ = [](const auto&, const Cancellation& cancellation, CommandOutput&) -> json::object {
    for (;;) cancellation.wait(std::chrono::milliseconds(5));
  };
  ask(kId, std::chrono::seconds(8));
  ASSERT_TRUE(wait_until_said("1."));
  EXPECT_EQ(end_.error, "deadline_exceeded");
  EXPECT_GE(std::ranges::count(said(), "alive"), 2);
}

TEST_F(CommandRunnerTest, ItEndsWhereTheServerWantsNoMoreOrIsSilent) {
  std::atomic<int> ended = 0;
  work_ = [&](const auto&, const Cancellation& cancellation, CommandOutput& output) {
    try {
      for (;;) {
        output.text("x");
        cancellation.wait(std::chrono::milliseconds(1));
      }
    } catch (const base::Error&) {
      ++ended;
      throw;
    }
    return json::object{};
  };
  ask(id_of(1));
  ASSERT_TRUE(wait_until_said("8", id_of(1)));
  link_.arrive(kTopics + "cancel", fleet::make_command_cancel(id_of(1)));
  ASSERT_TRUE(run_fast_until(loop_, clock_, [&] { return ended == 1; }));
  ask(id_of(2));
  ASSERT_TRUE(run_fast_until(loop_, clock_, [&] { return ended == 2; }));
  settle();
  link_.published.clear();
  clock_.advance(CommandRunner::kServersSilence);
  settle();
  EXPECT_THAT(said(id_of(1)), IsEmpty());
  EXPECT_THAT(said(id_of(2)), IsEmpty());
}

TEST_F(CommandRunnerTest, MoreThanAreCarriedOutAtATimeAreRefused) {
  work_ = [](const auto&, const Cancellation& cancellation, CommandOutput&) -> json::object {
    for (;;) cancellation.wait(std::chrono::milliseconds(5));
  };
  for (int i = 0; i < static_cast<int>(CommandRunner::kAtOnce); ++i) ask(id_of(i));
  ask(id_of(9));
  EXPECT_THAT(said(id_of(9)), ElementsAre("1."));
  EXPECT_EQ(end_.error, "resource_exhausted");
  link_.arrive(kTopics + "cancel", fleet::make_command_cancel(id_of(0)));
  settle();
  ask(id_of(10));
  EXPECT_THAT(said(id_of(10)), ElementsAre("alive"));
}

TEST_F(CommandRunnerTest, OneThatItDoesNotKnowIsNamedSo) {
  grant(3, 10);
  EXPECT_THAT(said(), ElementsAre("unknown"));
  link_.published.clear();
  link_.arrive(kTopics + "ask", R"({"id":")" + kId + R"(","kind":"dance","deadlineMs":1000})");
  EXPECT_THAT(said(), ElementsAre("1."));
  EXPECT_THAT(end_.message, HasSubstr("kind"));
  for (const char* const word : {"ask", "grant", "cancel", "dance"}) {
    link_.arrive(kTopics + word, "no JSON");
  }
}

TEST(CommandOutput, CharactersThatComeInTwoPartsStayWhole) {
  const Cancellation cancellation;
  CommandOutput output(cancellation, [] {});
  std::string all;
  const auto take = [&] {
    while (const auto content = output.take()) all += std::get<fleet::CommandText>(*content).text;
  };
  for (const char* const part : {"a\xC3", "\xA4z\xE2\x82", "\xFF", "\xF0\x9F"}) {
    output.text(part);
    take();
  }
  output.flush();
  take();
  EXPECT_EQ(all, "a\xC3\xA4z\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(CommandOutput, WhoPutsWaitsForRoomAndIsToldWhereNobodyWantsMore) {
  Cancellation cancellation;
  CommandOutput output(cancellation, [] {});
  std::thread putting([&] {
    EXPECT_THROW(output.data(std::string(100 * fleet::kMostAnswerBytes, 'x')), base::Error);
  });
  for (int i = 0; i < 10; ++i) {
    while (!output.take()) std::this_thread::yield();
  }
  cancellation.cancel();
  putting.join();
}

}  // namespace
}  // namespace andon::edge
