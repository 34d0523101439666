// SPDX-License-Identifier: Apache-2.0
// Requests, the server's words while a command runs, and answers: written, read back, bounded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/command/command_answer.hpp"
#include "fleet/command/command_request.hpp"
#include "fleet/messages/limits.hpp"

namespace andon::fleet {
namespace {

using testing::HasSubstr;

const std::string kId = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

CommandRequest request_of(CommandKind kind) {
  CommandRequest request{.id = kId, .kind = kind};
  if (kind == CommandKind::restart || kind == CommandKind::stop) request.component = "com.ex.App";
  if (kind == CommandKind::shell) request.command_line = "uname -a";
  if (kind == CommandKind::fit) request.recipe = "ComponentName: com.ex.App\n";
  if (is_free_hand(kind) && kind != CommandKind::shell) request.path = "/etc/hostname";
  if (kind == CommandKind::copy_to) request.content = std::string("\0\xff\n", 3);
  return request;
}

constexpr std::array kAllKinds{
    CommandKind::restart, CommandKind::stop,           CommandKind::logs,   CommandKind::components,
    CommandKind::doctor,  CommandKind::support_bundle, CommandKind::frame,  CommandKind::fit,
    CommandKind::shell,   CommandKind::copy_from,      CommandKind::copy_to};

std::string problem_of(const CommandRequest& request) {
  try {
    check_command(request);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "";
}

TEST(CommandRequest, OfEveryKindIsReadAsItWasWritten) {
  for (const CommandKind kind : kAllKinds) {
    CommandRequest request = request_of(kind);
    request.asked_by = "eva";
    request.deadline = std::chrono::milliseconds(1234);
    if (kind == CommandKind::logs) {
      request.lines = 7;
      request.follow = true;
    }
    if (kind == CommandKind::frame) request.follow = true;
    EXPECT_EQ(parse_command_request(to_message(request)), request) << to_string(kind);
    EXPECT_EQ(command_kind(to_string(kind)), kind);
  }
}

TEST(CommandRequest, OnlyFitHasARecipeAndItIsTextOfSomeLength) {
  CommandRequest request = request_of(CommandKind::fit);
  EXPECT_EQ(problem_of(request), "");
  request.recipe.clear();
  EXPECT_THAT(problem_of(request), HasSubstr("recipe: is missing"));
  request.recipe.assign(kMostCommandRecipe + 1, 'x');
  EXPECT_THAT(problem_of(request), HasSubstr("recipe: must be text of at most"));
  request = request_of(CommandKind::doctor);
  request.recipe = "x";
  EXPECT_THAT(problem_of(request), HasSubstr("only fit takes one"));
}

TEST(CommandRequest, TheLargestFileFitsIntoAMessage) {
  CommandRequest request = request_of(CommandKind::copy_to);
  request.content.assign(kMostCopiedTo, 'x');
  EXPECT_EQ(parse_command_request(to_message(request)).content.size(), kMostCopiedTo);
  request.content += 'x';
  EXPECT_THAT(problem_of(request), HasSubstr("can be copied to a device"));
}

TEST(CommandRequest, WhatIsWrongIsNamed) {
  const auto changed = [](CommandKind kind, auto change) {
    CommandRequest request = request_of(kind);
    change(request);
    return problem_of(request);
  };
  using enum CommandKind;
  EXPECT_THAT(changed(restart, [](auto& r) { r.component.clear(); }), HasSubstr("component"));
  EXPECT_THAT(changed(logs, [](auto& r) { r.component = "../x"; }), HasSubstr("component"));
  EXPECT_THAT(changed(doctor, [](auto& r) { r.component = "x"; }), HasSubstr("takes none"));
  EXPECT_THAT(changed(shell, [](auto& r) { r.command_line.clear(); }), HasSubstr("commandLine"));
  EXPECT_THAT(changed(logs, [](auto& r) { r.command_line = "ls"; }), HasSubstr("only shell"));
  EXPECT_THAT(changed(shell, [](auto& r) { r.command_line = std::string("a\0b", 3); }),
              HasSubstr("commandLine"));
  EXPECT_THAT(changed(copy_from, [](auto& r) { r.path = "etc"; }), HasSubstr("path"));
  EXPECT_THAT(changed(doctor, [](auto& r) { r.path = "/etc"; }), HasSubstr("path"));
  EXPECT_THAT(changed(logs, [](auto& r) { r.lines = -1; }), HasSubstr("lines"));
  EXPECT_THAT(changed(doctor, [](auto& r) { r.follow = true; }), HasSubstr("follow"));
  EXPECT_THAT(changed(logs, [](auto& r) { r.deadline = kLongestCommand * 2; }),
              HasSubstr("deadline"));
  EXPECT_EQ(problem_of(request_of(frame)), "");
  EXPECT_THROW((void)command_kind("reboot"), base::Error);
  for (const char* const bad :
       {"", "[]", "{}", R"({"id":"x","kind":"doctor","deadlineMs":1})",
        R"({"id":"6ba7b810-9dad-41d1-80b4-00c04fd430c8","kind":"doctor"})",
        R"({"id":"6ba7b810-9dad-41d1-80b4-00c04fd430c8","kind":"doctor","deadlineMs":0})"}) {
    EXPECT_THROW((void)parse_command_request(bad), base::Error) << bad;
  }
}

TEST(CommandRequest, GrantsAndCancelsAreReadAsTheyWereWritten) {
  const CommandGrant grant{kId, 7, 15};
  EXPECT_EQ(parse_command_grant(to_message(grant)), grant);
  EXPECT_EQ(parse_command_cancel(make_command_cancel(kId)), kId);
  EXPECT_THROW((void)parse_command_grant(R"({"id":"x","received":0,"until":0})"), base::Error);
  EXPECT_THROW((void)parse_command_cancel(R"({"id":"x"})"), base::Error);
}

TEST(CommandAnswer, OfEveryFormIsReadAsItWasWritten) {
  const std::vector<CommandContent> contents{CommandText{"line\n", false},
                                             CommandText{"\xC3\xA4rger", true},
                                             CommandRow{{{"name", "com.ex.App"}}},
                                             CommandData{std::string("\0\xff", 2)},
                                             CommandProgress{5, 10, "packing"},
                                             CommandEnd{"", "", {{"exitCode", 3}}},
                                             CommandEnd{"not_found", "there is none", {}}};
  std::uint64_t sequence = 0;
  for (const CommandContent& content : contents) {
    const CommandAnswer answer{++sequence, content};
    EXPECT_EQ(std::get<CommandAnswer>(parse_command_message(to_message(answer))), answer);
  }
  EXPECT_TRUE((CommandAnswer{1, contents.back()}.is_end()));
  for (const CommandSign sign : {CommandSign::alive, CommandSign::unknown}) {
    EXPECT_EQ(std::get<CommandSign>(parse_command_message(to_message(sign))), sign);
  }
}

TEST(CommandAnswer, TheLargestFitsAndNoLargerOne) {
  for (const char c : {'x', '\x01'}) {  // a control character is written with six bytes
    CommandAnswer answer{1, CommandText{std::string(kMostAnswerBytes, c), false}};
    EXPECT_EQ(std::get<CommandAnswer>(parse_command_message(to_message(answer))), answer);
    std::get<CommandText>(answer.content).text += 'x';
    EXPECT_THROW((void)parse_command_message(to_message(answer)), base::Error);
  }
  const CommandAnswer data{1, CommandData{std::string(kMostAnswerBytes + 1, 'x')}};
  EXPECT_THROW((void)parse_command_message(to_message(data)), base::Error);
  // The broker takes 1 MiB of a thing.
  const CommandAnswer worst{1, CommandText{std::string(kMostAnswerBytes, '\x01'), false}};
  EXPECT_LT(to_message(worst).size(), 256U << 10U);
}

TEST(CommandAnswer, AResultThatIsKeptIsSmall) {
  for (const auto& [bytes, is_kept] : {std::pair(4000, true), std::pair(5000, false)}) {
    const CommandAnswer answer{
        1, CommandEnd{"", "", {{"x", std::string(static_cast<std::size_t>(bytes), 'x')}}}};
    const auto read = std::get<CommandAnswer>(parse_command_message(to_message(answer)));
    EXPECT_EQ(!std::get<CommandEnd>(read.content).result.empty(), is_kept);
  }
}

TEST(CommandAnswer, WhatIsNoneIsRefused) {
  for (const char* const bad :
       {"", "1", "{}", R"({"sequence":0,"text":"x"})", R"({"sequence":1})", R"({"text":"x"})",
        R"({"sign":"maybe"})", R"({"sequence":1,"data":"%"})", R"({"sequence":1,"row":[]})",
        R"({"sequence":1,"end":{"error":{}}})"}) {
    EXPECT_THROW((void)parse_command_message(bad), base::Error) << bad;
  }
}

TEST(CommandErrors, AreKnownByTheirWords) {
  EXPECT_EQ(error_code_of("deadline_exceeded"), base::ErrorCode::deadline_exceeded);
  EXPECT_EQ(error_code_of("whatever"), base::ErrorCode::internal);
}

}  // namespace
}  // namespace andon::fleet
