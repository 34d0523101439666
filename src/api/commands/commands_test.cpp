// SPDX-License-Identifier: Apache-2.0
// The rows of commands, called as the router calls them.
#include "api/commands/commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"
#include "fleet/names/topic.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using testing::HasSubstr;

class CommandOperationsTest : public testing::Test, public control::ControlFixture {
 protected:
  CommandOperationsTest() { control().things.create("line-1", {}); }

  json::value call(std::string_view name, const json::object& input,
                   const std::string& principal = "user/eva") {
    const auto row = std::ranges::find(operations_, name, &Operation::name);
    Caller caller;
    caller.principal = principal;
    if (!row->later) return row->handler({caller, input});
    json::value answered;
    const Answer answer(
        [&](json::value output, const std::exception_ptr&) { answered = std::move(output); });
    row->later({caller, input}, answer);
    return answered;
  }
  std::string refused(std::string_view name, const json::object& input,
                      const std::string& principal = "user/eva") {
    try {
      (void)call(name, input, principal);
    } catch (const base::Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
    return "it was taken";
  }
  void answer(const std::string& id, std::uint64_t sequence, fleet::CommandContent content) {
    commands_.take(fleet::DeviceTopics("line-1").command_answers(id),
                   to_message(fleet::CommandAnswer{sequence, std::move(content)}));
  }

  control::Commands commands_{{database(), notifier(), clock(), {}}};
  std::vector<Operation> operations_ = command_operations(commands_, nullptr);
};

TEST_F(CommandOperationsTest, ACommandIsBegunReadAndOver) {
  const json::value begun =
      call("StartCommand", {{"thing", "line-1"}, {"kind", "logs"}, {"component", "com.ex.App"}});
  EXPECT_EQ(begun.at("status").as_string(), "WAITING");
  EXPECT_EQ(begun.at("askedBy").as_string(), "eva");
  EXPECT_EQ(begun.at("deadlineSeconds").as_int64(), 60);
  const std::string id(begun.at("commandId").as_string());
  answer(id, 1, fleet::CommandText{"line\n", false});
  json::value page = call("ReadCommand", {{"commandId", id}});
  EXPECT_EQ(page.at("answers").at(0).at("text").as_string(), "line\n");
  EXPECT_EQ(page.at("after").to_number<int>(), 1);
  EXPECT_FALSE(page.at("isOver").as_bool());
  answer(id, 2, fleet::CommandEnd{"not_found", "no log", {}});
  page = call("ReadCommand", {{"commandId", id}, {"after", "1"}, {"waitSeconds", "20"}});
  EXPECT_TRUE(page.at("isOver").as_bool());
  EXPECT_EQ(page.at("status").as_string(), "FAILED");
  EXPECT_EQ(page.at("error").at("code").as_string(), "not_found");
}

TEST_F(CommandOperationsTest, AnswersAreForWhoAskedAndForTheAccount) {
  const json::value begun = call("StartCommand", {{"thing", "line-1"}, {"kind", "doctor"}});
  const json::object which{{"commandId", begun.at("commandId")}};
  EXPECT_THAT(refused("ReadCommand", which, "user/otto"), HasSubstr("permission_denied: only eva"));
  EXPECT_EQ(call("ReadCommand", which, "operator").at("isOver").as_bool(), false);
  EXPECT_EQ(call("GetCommand", which, "user/otto").at("what").as_string(), "doctor");
  EXPECT_EQ(call("CancelCommand", which, "user/otto").at("status").as_string(), "CANCELED");
}

TEST_F(CommandOperationsTest, WhatNeedsARightOfItsOwnHasAnOperationOfItsOwn) {
  for (const char* const kind : {"shell", "copy-from", "copy-to"}) {
    EXPECT_THAT(refused("StartCommand", {{"thing", "line-1"}, {"kind", kind}}),
                HasSubstr("RunShell and CopyFile"))
        << kind;
  }
  EXPECT_EQ(call("RunShell", {{"thing", "line-1"}, {"commandLine", "id"}}).at("what").as_string(),
            "shell: id");
  EXPECT_EQ(
      call("CopyFile",
           {{"thing", "line-1"}, {"direction", "to"}, {"path", "/tmp/x"}, {"content", "AP8="}})
          .at("kind")
          .as_string(),
      "copy-to");
  EXPECT_THAT(refused("CopyFile", {{"thing", "line-1"}, {"path", "/x"}}), HasSubstr("direction"));
  EXPECT_THAT(
      refused("CopyFile",
              {{"thing", "line-1"}, {"direction", "from"}, {"path", "/x"}, {"content", "AA=="}}),
      HasSubstr("content"));
}

TEST_F(CommandOperationsTest, TheyAreListed) {
  (void)call("StartCommand", {{"thing", "line-1"}, {"kind", "doctor"}});
  (void)call("StartCommand", {{"thing", "line-1"}, {"kind", "components"}});
  const json::value page = call("ListCommands", {{"thing", "line-1"}, {"maxResults", "1"}});
  EXPECT_EQ(page.at("commands").at(0).at("kind").as_string(), "components");
  EXPECT_TRUE(page.as_object().contains("nextToken"));
  EXPECT_THAT(refused("ListCommands", {{"maxResults", "1000"}}), HasSubstr("maxResults"));
}

}  // namespace
}  // namespace andon::api
