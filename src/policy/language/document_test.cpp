// SPDX-License-Identifier: Apache-2.0
#include "policy/language/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::policy {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& text, DocumentKind kind = DocumentKind::identity) {
  try {
    (void)Document::parse(text, kind);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
  return "it was taken";
}

std::string with(const std::string& statement) {
  return R"({"Version":"2012-10-17","Statement":[)" + statement + "]}";
}

TEST(PolicyDocument, WhatIsWrongIsNamed) {
  const std::string good = R"("Effect":"Allow","Action":"s3:*","Resource":"*")";
  EXPECT_EQ(refusal(with("{" + good + "}")), "it was taken");
  EXPECT_EQ(refusal(R"({"Statement":{)" + good + "}}"), "it was taken");
  const struct {
    std::string text;
    const char* expected;
  } rows[] = {
      {"[]", "object"},
      {R"({"Version":"2013-01-01","Statement":[]})", "Version: must be"},
      {R"({"Version":"2012-10-17"})", "Statement"},
      {R"({"Version":"2012-10-17","Statement":[]})", "Statement: is empty"},
      {R"({"Version":"2012-10-17","Statements":[]})", "Statements"},
      {with(R"({"Action":"s3:*","Resource":"*"})"), "Statement[0].Effect"},
      {with(R"({"Effect":"allow","Action":"s3:*","Resource":"*"})"), "must be one of Allow, Deny"},
      {with(R"({"Effect":"Allow","Resource":"*"})"), "exactly one of Action and NotAction"},
      {with(R"({"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"})"),
       "exactly one of Action and NotAction"},
      {with(R"({"Effect":"Allow","Action":"s3:*"})"), "exactly one of Resource and NotResource"},
      {with(R"({"Effect":"Allow","Action":"GetObject","Resource":"*"})"), "is no action"},
      {with(R"({"Effect":"Allow","Action":[],"Resource":"*"})"), "Action"},
      {with(R"({"Effect":"Allow","Action":"s3:*","Resource":"parts"})"), "is no resource"},
      {with(R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username"})"),
       "without its }"},
      {with("{" + good + R"(,"Principal":"*"})"), "Principal"},
      {with("{" + good + R"(,"Sid":"a b"})"), "Sid"},
      {with("{" + good + R"(,"Sid":"a"},{)" + good + R"(,"Sid":"a"})"), "the Sid \"a\""},
      {with("{" + good + R"(,"Colour":"red"})"), "Colour"},
      {with("{" + good + R"(,"Condition":{"StringEqual":{"k":"v"}}})"),
       "there is no condition operator 'StringEqual'"},
      {with("{" + good + R"(,"Condition":{"NumericEquals":{"k":"v"}}})"), "is no number"},
      {with("{" + good + R"(,"Condition":{"DateEquals":{"k":"v"}}})"), "is no date"},
      {with("{" + good + R"(,"Condition":{"IpAddress":{"k":"10.0.0.0/33"}}})"), "is no address"},
      {with("{" + good + R"(,"Condition":{"Bool":{"k":"yes"}}})"), "is no true or false"},
      {with("{" + good + R"(,"Condition":{"NullIfExists":{"k":"true"}}})"), "NullIfExists"},
      {with("{" + good + R"(,"Condition":{"StringEquals":"v"}})"), "must hold an object"},
  };
  for (const auto& row : rows) EXPECT_THAT(refusal(row.text), HasSubstr(row.expected)) << row.text;
}

TEST(PolicyDocument, ATrustPolicyHasAPrincipalAndNoResource) {
  const auto trust = [](const std::string& statement) {
    return refusal(with(statement), DocumentKind::trust);
  };
  EXPECT_EQ(trust(R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}})"),
            "it was taken");
  EXPECT_THAT(trust(R"({"Effect":"Allow","Action":"sts:AssumeRole"})"), HasSubstr("Principal"));
  EXPECT_THAT(trust(R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":[]}})"),
              HasSubstr("AWS"));
  EXPECT_THAT(trust(R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":"eva"})"),
              HasSubstr("Principal"));
  EXPECT_THAT(
      trust(R"({"Effect":"Allow","Action":"sts:*","Principal":{"AWS":"*"},"Resource":"*"})"),
      HasSubstr("Resource"));
}

TEST(PolicyDocument, HasLimits) {
  EXPECT_THAT(refusal(std::string(kMostBytes + 1, ' ')), HasSubstr("policy"));
  std::string many;
  for (int i = 0; i < 201; ++i) {
    many += (i == 0 ? "" : ",") + std::string(R"({"Effect":"Deny","Action":"*","Resource":"*"})");
  }
  EXPECT_THAT(refusal(with(many)), HasSubstr("more than 200"));
}

}  // namespace
}  // namespace andon::policy
