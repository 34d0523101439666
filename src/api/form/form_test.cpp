// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/form/form_answer.hpp"
#include "api/form/form_input.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
namespace json = base::json;

std::string refusal(const std::string& form) {
  try {
    (void)read_form(form);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "it was taken";
}

TEST(Form, NamesBecomeListsAndObjects) {
  const FormInput input = read_form(
      "Action=CreateUser&Version=2010-05-08&UserName=eva+a%2Fb&Tags.member.2.Key=c&"
      "Tags.member.1.Key=a&Tags.member.1.Value=&Names.member.10=j&Names.member.9=i&Empty=&A.B=x");
  EXPECT_EQ(input.action, "CreateUser");
  EXPECT_EQ(input.version, "2010-05-08");
  EXPECT_EQ(json::value(input.members), base::parse_json(R"({
      "UserName": "eva a/b", "Tags": [{"Key": "a", "Value": ""}, {"Key": "c"}],
      "Names": ["i", "j"], "Empty": "", "A": {"B": "x"}})",
                                                         "expected"));
}

TEST(Form, WhatIsNoFormIsRefused) {
  EXPECT_THAT(refusal("A=1&A=2"), HasSubstr("A: is there twice"));
  EXPECT_THAT(refusal("A=1&A.B=2"), HasSubstr("is there twice"));
  EXPECT_THAT(refusal("A.B=1&A=2"), HasSubstr("is there twice"));
  EXPECT_THAT(refusal("A..B=1"), HasSubstr("not the name of a member"));
  EXPECT_THAT(refusal("A.member.x=1"), HasSubstr("not numbered from 1 on"));
  EXPECT_THAT(refusal("A.member.0=1"), HasSubstr("not numbered from 1 on"));
  EXPECT_THAT(refusal("A.member.99999=1"), HasSubstr("not numbered from 1 on"));
  EXPECT_THAT(refusal("A=%ff"), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal("a.b.c.d.e.f.g.h.i=1"), HasSubstr("not the name of a member"));
  EXPECT_THAT(refusal(std::string(kMostFormBytes + 1, 'a')), HasSubstr("256 KiB"));
}

TEST(Form, AnswersAreElementsOrJson) {
  const std::string id = "id-1";
  const json::value output{{"Name", "a<b"}, {"List", {json::object{{"K", 1}}}}, {"Is", true}};
  const auto xml = form_answer({"sts", id}, "GetIt", output);
  EXPECT_THAT(std::get<std::string>(xml.body),
              HasSubstr("<GetItResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                        "<GetItResult><Name>a&lt;b</Name><List><member><K>1</K></member></List>"
                        "<Is>true</Is></GetItResult><ResponseMetadata><RequestId>id-1</RequestId>"
                        "</ResponseMetadata></GetItResponse>"));
  const auto as_json = form_answer({"iam", id, FormFormat::Language::json}, "GetIt", output);
  EXPECT_EQ(std::get<std::string>(as_json.body),
            R"({"GetItResponse":{"GetItResult":{"Name":"a<b","List":[{"K":1}],"Is":true},)"
            R"("ResponseMetadata":{"RequestId":"id-1"}}})");
  const auto error = form_error({"iam", id}, ServiceError(404, "NoSuchEntity", "none"));
  EXPECT_EQ(error.status, 404);
  EXPECT_THAT(std::get<std::string>(error.body),
              HasSubstr("<Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>none</Message>"
                        "</Error><RequestId>id-1</RequestId></ErrorResponse>"));
}

}  // namespace
}  // namespace andon::api
