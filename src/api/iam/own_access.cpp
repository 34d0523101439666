// SPDX-License-Identifier: Apache-2.0
#include "api/iam/own_access.hpp"

#include <string>
#include <utility>

#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostQuestions = 200;
constexpr std::size_t kMostText = 2048;

std::string read_text(const base::JsonReader& question, std::string_view key) {
  std::string text = question.required_text(key);
  if (text.size() > kMostText) {
    question.fail(key, "has more than " + std::to_string(kMostText) + " bytes");
  }
  return text;
}

json::value own_access(const Authorizer& authorizer, const OperationContext& context) {
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  const auto questions = reader.children("questions");
  if (questions.empty() || questions.size() > kMostQuestions) {
    throw Error(
        ErrorCode::invalid_argument,
        "questions: must be 1 to " + std::to_string(kMostQuestions) + ", each {action, resource}");
  }
  json::array answers;
  for (const base::JsonReader& question : questions) {
    const std::string action = read_text(question, "action");
    const std::string resource = read_text(question, "resource");
    const bool is_allowed = !authorizer.refusal(context.caller, action, resource);
    answers.push_back({{"action", action}, {"resource", resource}, {"isAllowed", is_allowed}});
  }
  return json::object{{"answers", std::move(answers)}};
}

}  // namespace

std::vector<Operation> own_access_operations(const Authorizer& authorizer) {
  return {
      {"andon", "GetOwnAccess", Protocol::rest_json, "POST", "/andon/v1/own-access", 200,
       [&authorizer](const OperationContext& context) { return own_access(authorizer, context); }}};
}

}  // namespace andon::api
