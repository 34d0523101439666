// SPDX-License-Identifier: Apache-2.0
// Permissions of a function's own policy. They are kept and given back for templates and scripts;
// who may call is decided by the caller's own policies, as everybody here is of one account.
#include "api/lambda/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::api::lambda {
namespace {

using base::Error;
using base::ErrorCode;

functions::FunctionRef read_held(const json::object& input) {
  auto ref = read_ref(input);
  if (ref.qualifier == functions::kLatest) {
    throw Error(ErrorCode::invalid_argument,
                "We currently do not support adding policies for $LATEST.");
  }
  return ref;
}

std::string read_id(const json::object& input) {
  std::string id = required_text(input, "StatementId");
  constexpr std::size_t kMost = 100;
  if (id.size() > kMost || !base::is_name_of(id, "-_")) {
    throw Error(ErrorCode::invalid_argument,
                "StatementId: must have 1 to 100 letters, digits, - and _");
  }
  return id;
}

json::object principal_of(const std::string& text) {
  if (text.ends_with(".amazonaws.com")) return {{"Service", text}};
  constexpr std::size_t kAccount = 12;
  const bool is_account =
      text.size() == kAccount && text.find_first_not_of("0123456789") == std::string::npos;
  if (is_account) return {{"AWS", "arn:aws:iam::" + text + ":root"}};
  return {{"AWS", text}};
}

json::value add(const LambdaParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const auto ref = read_held(input);
  const std::string principal = required_text(input, "Principal");
  json::object statement{{"Sid", read_id(input)}, {"Effect", "Allow"}};
  if (principal == "*") {
    statement["Principal"] = "*";
  } else {
    statement["Principal"] = principal_of(principal);
  }
  const std::string action = required_text(input, "Action");
  if (action != "*" && !action.starts_with("lambda:")) {
    throw Error(ErrorCode::invalid_argument, "Action: must be lambda:... or *");
  }
  statement["Action"] = action;
  statement["Resource"] =
      functions::function_arn(parts.functions.registry.arns(), ref.name, ref.qualifier);
  json::object condition;
  if (const std::string arn = text_or_empty(input, "SourceArn"); !arn.empty()) {
    condition["ArnLike"] = json::object{{"AWS:SourceArn", arn}};
  }
  json::object equal;
  if (const std::string account = text_or_empty(input, "SourceAccount"); !account.empty()) {
    equal["AWS:SourceAccount"] = account;
  }
  if (const std::string token = text_or_empty(input, "EventSourceToken"); !token.empty()) {
    equal["lambda:EventSourceToken"] = token;
  }
  if (!equal.empty()) condition["StringEquals"] = std::move(equal);
  if (!condition.empty()) statement["Condition"] = std::move(condition);
  parts.functions.settings.add_permission(ref, statement, text_or_empty(input, "RevisionId"));
  return json::object{{"Statement", base::to_text(statement)}};
}

json::value remove(const LambdaParts& parts, const OperationContext& context) {
  parts.functions.settings.remove_permission(read_held(context.input), read_id(context.input),
                                             text_or_empty(context.input, "RevisionId"));
  return nullptr;
}

json::value get(const LambdaParts& parts, const OperationContext& context) {
  const auto held = parts.functions.settings.permissions(read_held(context.input));
  return json::object{{"Policy", base::to_text(json::object{{"Version", "2012-10-17"},
                                                            {"Id", "default"},
                                                            {"Statement", held.statements}})},
                      {"RevisionId", held.revision}};
}

}  // namespace

std::vector<Operation> permission_rows(const Parts& parts) {
  constexpr const char* kPolicy = "/2015-03-31/functions/{FunctionName}/policy";
  constexpr const char* kOne = "/2015-03-31/functions/{FunctionName}/policy/{StatementId}";
  return {row(parts, "AddPermission", "POST", kPolicy, 201,
              {rules::needed(rules::text("StatementId", 1, 100)),
               rules::needed(rules::text("Action", 1, 256)),
               rules::needed(rules::text("Principal", 1, 1'024))},
              add),
          row(parts, "RemovePermission", "DELETE", kOne, 204, {}, remove),
          row(parts, "GetPolicy", "GET", kPolicy, 200, {}, get)};
}

}  // namespace andon::api::lambda
