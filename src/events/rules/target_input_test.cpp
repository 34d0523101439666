// SPDX-License-Identifier: Apache-2.0
#include "events/rules/target_input.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::events {
namespace {

const json::object kEvent =
    base::parse_json(R"({"version":"0","id":"e","detail-type":"t","source":"s","resources":["r"],
      "detail":{"name":"a \"b\"","n":3,"flag":true,"none":null,"list":[1,"x"],"inner":{"k":"v"}}})",
                     "event")
        .as_object();

std::string input_of(const std::string& target) {
  json::object made = base::parse_json(target, "target").as_object();
  made["Id"] = "T";
  check_target_input(made);
  return target_input(made, {kEvent, "arn:rule", "name", base::from_epoch_millis(0)});
}

std::string refusal(const std::string& target) {
  try {
    return "taken: " + input_of(target);
  } catch (const base::Error& error) {
    return error.message();
  }
}

TEST(TargetInput, IsTheEventATextAPartOrAFilledInTemplate) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"Input":"{\"a\": 1}"})", R"({"a": 1})"},
      {R"({"InputPath":"$.detail.n"})", "3"},
      {R"({"InputPath":"$.detail.name"})", R"("a \"b\"")"},
      {R"({"InputPath":"$.detail.nothing"})", "{}"},
      {R"({"InputTransformer":{"InputPathsMap":{"a":"$.detail.n","b":"$.detail.flag"},
           "InputTemplate":"{\"n\": <a>, \"f\": <b>}"}})",
       R"({"n": 3, "f": true})"},
      // Bare: the JSON value. In quotes: its text.
      {R"({"InputTransformer":{"InputPathsMap":{"a":"$.detail.name"},
           "InputTemplate":"{\"x\": <a>, \"y\": \"is <a>\"}"}})",
       R"({"x": "a \"b\"", "y": "is a \"b\""})"},
      {R"({"InputTransformer":{"InputPathsMap":{"l":"$.detail.list","o":"$.detail.inner"},
           "InputTemplate":"\"<l> and <o>\""}})",
       R"("[1,x] and {k:v}")"},
      {R"({"InputTransformer":{"InputPathsMap":{"l":"$.detail.list","o":"$.detail.inner"},
           "InputTemplate":"{\"l\": <l>, \"o\": <o>}"}})",
       R"({"l": [1,"x"], "o": {"k":"v"}})"},
      // A path that leads nowhere is empty.
      {R"({"InputTransformer":{"InputPathsMap":{"a":"$.detail.nothing"},
           "InputTemplate":"\"<a>!\""}})",
       R"("!")"},
      {R"({"InputTransformer":{"InputTemplate":"\"<aws.events.rule-arn> <aws.events.rule-name>\""}})",
       R"("arn:rule name")"},
      {R"({"InputTransformer":{"InputTemplate":"{\"at\": <aws.events.event.ingestion-time>}"}})",
       R"({"at": "1970-01-01T00:00:00.000Z"})"},
      // What is no name of a variable stays as it is.
      {R"({"InputTransformer":{"InputTemplate":"\"a < b > c\""}})", R"("a < b > c")"},
  };
  for (const auto& [target, expected] : cases) EXPECT_EQ(input_of(target), expected) << target;
  EXPECT_EQ(base::parse_json(input_of("{}"), "input").as_object(), kEvent);
  json::object without_detail = kEvent;
  without_detail.erase("detail");
  EXPECT_EQ(base::parse_json(
                input_of(R"({"InputTransformer":{"InputTemplate":"<aws.events.event>"}})"), "input")
                .as_object(),
            without_detail);
}

TEST(TargetInput, IsRefusedInEventBridgesWords) {
  EXPECT_EQ(refusal(R"({"Input":"{}","InputPath":"$"})"),
            "Only one of Input, InputPath, or InputTransformer must be provided for target T.");
  EXPECT_EQ(refusal(R"({"InputTransformer":{"InputTemplate":"\"<x>\""}})"),
            "InputTemplate for target T contains invalid placeholder x.");
  EXPECT_EQ(refusal(R"({"Input":"{"})"), "JSON syntax error in input for target T.");
  EXPECT_EQ(refusal(R"({"InputPath":"detail"})"),
            "Invalid InputPath for target T: it is no JSON path");
}

}  // namespace
}  // namespace andon::events
