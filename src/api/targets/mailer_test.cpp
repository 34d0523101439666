// SPDX-License-Identifier: Apache-2.0
#include "api/targets/mailer.hpp"

#include <gmock/gmock.h>

#include <optional>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

events::Delivery delivery_of(std::string input) {
  events::Delivery delivery;
  delivery.source_arn = "arn:aws:events:us-east-1:000000000000:rule/gone";
  delivery.token = "t-1";
  delivery.input = std::move(input);
  return delivery;
}

TEST(Mailer, AnEventIsToldInItsSubjectAndWholeInTheText) {
  const MailText mail = mail_text_of(delivery_of(
      R"({"source": "andon.devices", "detail-type": "Device State Change",
          "time": "2026-11-22T10:00:00Z", "detail": {"arn": "arn:aws:x", "thingName": "line-1", "state": "gone",
          "more": {"a": 1}}})"));
  EXPECT_EQ(mail.subject, "[andon] gone: Device State Change (thingName: line-1, state: gone)");
  EXPECT_THAT(mail.text, StartsWith("Device State Change\n2026-11-22T10:00:00Z\n"));
  EXPECT_THAT(mail.text, HasSubstr("\"a\": 1"));
  EXPECT_THAT(mail.text, HasSubstr("rule/gone"));
}

TEST(Mailer, WhatATransformerHasMadeIsTheText) {
  EXPECT_THAT(mail_text_of(delivery_of("line-1 is gone")).text, StartsWith("line-1 is gone\n"));
  EXPECT_THAT(mail_text_of(delivery_of(R"("line-1 is gone")")).text,
              StartsWith("line-1 is gone\n"));
  EXPECT_EQ(mail_text_of(delivery_of(R"({"a": 1})")).subject, "[andon] gone");
}

TEST(Mailer, OnlyWhoIsNamedIsMailedTo) {
  MailOptions options{.from = "andon@plant.example"};
  EXPECT_TRUE(may_be_mailed(options, "eva@Plant.example"));
  EXPECT_FALSE(may_be_mailed(options, "eva@sub.plant.example"));
  EXPECT_FALSE(may_be_mailed(options, "eva@else.example"));
  EXPECT_FALSE(may_be_mailed(options, "eva"));
  options.to = {"@else.example", "otto@plant.example"};
  EXPECT_TRUE(may_be_mailed(options, "eva@else.example"));
  EXPECT_TRUE(may_be_mailed(options, "otto@plant.example"));
  EXPECT_FALSE(may_be_mailed(options, "eva@plant.example"));
}

TEST(Mailer, WithoutAMailServerItSaysWhichOptionIsMissing) {
  const base::SystemClock clock;
  Mailer mailer({.from = "andon@plant.example"}, clock);
  try {
    mailer.send("eva@plant.example", delivery_of("{}"), [](const events::Outcome&) {});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unsupported);
    EXPECT_THAT(error.message(), HasSubstr("--mail-server"));
  }
}

}  // namespace
}  // namespace andon::api
