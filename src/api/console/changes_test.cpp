// SPDX-License-Identifier: Apache-2.0
#include "api/console/changes.hpp"

#include <gmock/gmock.h>

#include <future>

namespace andon::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using wire::HttpResponse;

std::string text_of(const HttpResponse& response) {
  return std::get<std::string>(response.body);
}

std::string id_of(const std::string& event) {
  const std::size_t at = event.find("id: ") + 4;
  return event.substr(at, event.find('\n', at) - at);
}

// What a response says that comes later.
std::future<std::string> later_text(const HttpResponse& response) {
  auto promise = std::make_shared<std::promise<std::string>>();
  response.later->when_answered(
      [promise](HttpResponse answer) { promise->set_value(text_of(answer)); });
  return promise->get_future();
}

TEST(ConsoleChanges, WhoComesFirstIsToldWhereItStands) {
  Changes changes({});
  changes.note(ChangeKind::devices);
  const std::string event = text_of(changes.wait(""));
  EXPECT_THAT(event, HasSubstr("event: changed\ndata: \n\n"));
}

TEST(ConsoleChanges, WhoWaitsHearsOfTheNextChange) {
  Changes changes({});
  auto response = changes.wait(id_of(text_of(changes.wait(""))));
  ASSERT_TRUE(response.later);
  auto heard = later_text(response);
  changes.note(ChangeKind::models);
  EXPECT_THAT(heard.get(), HasSubstr("data: models\n"));
}

TEST(ConsoleChanges, OfWhatChangesNothingThatIsShownNobodyIsTold) {
  Changes changes({});
  const std::string id = id_of(text_of(changes.wait("")));
  changes.note(ChangeKind::none);
  EXPECT_TRUE(changes.wait(id).later);
}

TEST(ConsoleChanges, WhatHappensMeanwhileIsOneEventWithEachKindOnce) {
  Changes changes({});
  const std::string id = id_of(text_of(changes.wait("")));
  for (int i = 0; i < 1000; ++i) changes.note(ChangeKind::executions);
  changes.note(ChangeKind::devices);
  const std::string event = text_of(changes.wait(id));
  EXPECT_THAT(event, HasSubstr("data: devices executions\n"));
  EXPECT_TRUE(changes.wait(id_of(event)).later);
}

TEST(ConsoleChanges, EachChangeIsOfTheKindThatScreensShow) {
  using enum ChangeKind;
  struct Row {
    const char* service;
    const char* operation;
    ChangeKind kind;
  };
  for (const Row& row :
       {Row{"iot", "CreateThing", devices}, Row{"iot", "ReplaceTopicRule", triggers},
        Row{"greengrass", "CreateDeployment", deployments}, Row{"andon", "PutModelAlias", models},
        Row{"sagemaker", "UpdateModelPackage", models}, Row{"states", "StartExecution", executions},
        Row{"andon", "ConfirmResult", results}, Row{"s3", "DeleteBucket", objects},
        Row{"events", "PutRule", triggers}, Row{"scheduler", "CreateSchedule", triggers},
        Row{"andon", "PutWebhook", triggers}, Row{"lambda", "CreateFunction", functions},
        Row{"iam", "CreateUser", access}, Row{"andon", "EndConsoleSessions", access},
        Row{"andon", "CreateBackup", upkeep}, Row{"andon", "PutShifts", upkeep}}) {
    EXPECT_EQ(changed_by(row.service, row.operation), row.kind) << row.operation;
  }
  EXPECT_EQ(changed_by("andon", "StartCommand"), none);
  EXPECT_EQ(changed_by("iot", "ListThings"), none);
  EXPECT_EQ(changed_by("andon", "OfNoRow"), none);
}

TEST(ConsoleChanges, APlaceOfAnotherStartOrNoneAtAllIsAnsweredAtOnce) {
  Changes changes({});
  changes.note(ChangeKind::results);
  EXPECT_THAT(text_of(changes.wait("0badcafe-7")), HasSubstr("data: results\n"));
  for (const char* odd : {"x", "-", "--1", "0badcafe-99999999999999999999", "\xff-1"}) {
    EXPECT_FALSE(changes.wait(odd).later) << odd;
  }
}

TEST(ConsoleChanges, NewResultsAreNoticedWhileSomebodyWaits) {
  std::atomic<std::int64_t> newest{7};
  Changes changes([&newest] { return newest.load(); });
  auto response = changes.wait(id_of(text_of(changes.wait(""))));
  auto heard = later_text(response);
  while (heard.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) ++newest;
  EXPECT_THAT(heard.get(), HasSubstr("data: results\n"));
}

TEST(ConsoleChanges, OneTooManyMakesRoomByAnsweringWhoHasWaitedLongest) {
  Changes changes({});
  const std::string id = id_of(text_of(changes.wait("")));
  std::vector<HttpResponse> waiting;
  for (std::size_t i = 0; i < Changes::kMostWaiting; ++i) waiting.push_back(changes.wait(id));
  auto first = later_text(waiting.front());
  EXPECT_TRUE(changes.wait(id).later);
  EXPECT_THAT(first.get(), Not(HasSubstr("data")));
}

TEST(ConsoleChanges, StoppingAnswersWhoWaitsAndLetsNobodyWaitAnyMore) {
  Changes changes({});
  const std::string id = id_of(text_of(changes.wait("")));
  auto heard = later_text(changes.wait(id));
  changes.stop();
  EXPECT_THAT(heard.get(), HasSubstr("retry"));
  EXPECT_FALSE(changes.wait(id).later);
  changes.note(ChangeKind::devices);
}

}  // namespace
}  // namespace andon::api
