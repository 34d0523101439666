// SPDX-License-Identifier: Apache-2.0
// Commands as rows: what was asked, by whom, what came of it, also where the server is killed.
#include "control/commands/commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"
#include "fleet/names/topic.hpp"

namespace andon::control {
namespace {

using testing::HasSubstr;

class CommandsTest : public testing::Test, public ControlFixture {
 protected:
  CommandsTest() {
    control().things.create("line-1", {});
    open();
  }
  void open() {
    commands_ = std::make_unique<Commands>(Commands::Parts{
        .database = database(),
        .notifier = notifier(),
        .clock = clock(),
        .on_ended = [this](const CommandRecord& record) {
          const std::lock_guard lock(mutex_);
          ended_.push_back(record.what + ": " + std::string(to_string(record.outcome.status)));
          changed_.notify_all();
        }});
  }
  CommandRecord start(const std::string& thing = "line-1") {
    return commands_->start(thing, {.id = "", .kind = fleet::CommandKind::doctor},
                            {"user/1", "eva", "arn:eva"});
  }
  void answer_end(const CommandRecord& record) {
    commands_->take(fleet::DeviceTopics("line-1").command_answers(record.id),
                    to_message(fleet::CommandAnswer{1, fleet::CommandEnd{}}));
  }
  std::vector<std::string> wait_for_ends(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return ended_.size() >= count; });
    return ended_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> ended_;  // guarded by mutex_
  std::unique_ptr<Commands> commands_;
};

TEST_F(CommandsTest, AreKeptWithWhoAskedAndWhatCameOfThem) {
  const CommandRecord asked = start();
  const json::value message = notifier().last("cmd/andon/line-1/commands/ask");
  EXPECT_EQ(message.at("id").as_string(), asked.id);
  EXPECT_EQ(message.at("askedBy").as_string(), "eva");
  answer_end(asked);
  EXPECT_THAT(wait_for_ends(1), testing::ElementsAre("doctor: SUCCEEDED"));
  const CommandRecord found = commands_->find(asked.id);
  EXPECT_EQ(found.asker.name, "eva");
  EXPECT_EQ(found.asker.principal, "user/1");
  EXPECT_TRUE(found.ended);
  EXPECT_THROW(commands_->cancel(asked.id, "eva"), base::Error);
}

TEST_F(CommandsTest, OfAThingThatIsNotThereAreRefusedAndLeaveNothing) {
  EXPECT_THROW((void)start("nobody"), base::Error);
  EXPECT_TRUE(commands_->list("", {}).items.empty());
  EXPECT_EQ(commands_->counts().running, 0U);
  EXPECT_THROW((void)commands_->find("x"), base::Error);
}

TEST_F(CommandsTest, ThatWereUnderWayWhenTheServerEndedSaySo) {
  const CommandRecord asked = start();
  commands_.reset();
  open();
  EXPECT_THAT(wait_for_ends(1), testing::ElementsAre("doctor: FAILED"));
  const CommandRecord found = commands_->find(asked.id);
  EXPECT_EQ(found.outcome.error_code, "unavailable");
  EXPECT_THAT(found.outcome.error, HasSubstr("the server ended"));
}

TEST_F(CommandsTest, AreListedTheNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(start().id);
    commands_->cancel(ids.back(), "eva");
  }
  const auto first = commands_->list("line-1", {.limit = 2, .after = ""});
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items[0].id, ids[2]);
  EXPECT_EQ(first.items[0].outcome.status, CommandStatus::canceled);
  ASSERT_TRUE(first.next);
  const auto rest = commands_->list("line-1", {.limit = 2, .after = *first.next});
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items[0].id, ids[0]);
  EXPECT_FALSE(rest.next);
  EXPECT_TRUE(commands_->list("line-2", {}).items.empty());
}

}  // namespace
}  // namespace andon::control
