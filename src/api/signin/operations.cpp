// SPDX-License-Identifier: Apache-2.0
#include "api/signin/operations.hpp"

#include <chrono>

#include "api/signin/sign_in.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::Iam;
using control::Sessions;

// Of the caller, who has a key that lasts: a link must not outlive what it was made with.
json::value create_link(Sessions& sessions, const OperationContext& context) {
  if (context.caller.token_issued) {
    throw Error(ErrorCode::permission_denied,
                "a link to sign in is made with the access key of a user or of the account, not "
                "with temporary credentials or in a session");
  }
  const std::string token = sessions.make_link(context.caller.principal);
  return json::object{{"path", console_link_path(token)},
                      {"link", token},
                      {"lastsSeconds", std::chrono::seconds(control::kSignInLinkLasts).count()}};
}

// "user/<id>"; empty where no name is given.
std::string named_principal(const Iam& iam, const json::object& input) {
  const std::string name = text_or_empty(input, "userName");
  if (name.empty()) return {};
  return std::string(control::Principals::kUserPrefix) +
         iam.entities.require(control::EntityKind::user, name).id;
}

json::value list(const Iam& iam, const Sessions& sessions, const OperationContext& context) {
  json::array all;
  for (const auto& session : sessions.list(named_principal(iam, context.input))) {
    const auto principal = iam.principals.find(session.principal);
    if (!principal) continue;
    all.push_back({{"sessionId", session.id},
                   {"principal", principal->arn},
                   {"signedInBy", to_string(session.by)},
                   {"sourceAddress", session.address},
                   {"userAgent", session.user_agent},
                   {"begun", base::to_iso8601(session.begun)},
                   {"lastUsed", base::to_iso8601(session.used)},
                   {"ends", base::to_iso8601(session.ends)}});
  }
  return json::object{{"sessions", std::move(all)}};
}

json::value end(const Iam& iam, Sessions& sessions, const OperationContext& context) {
  const std::string id = text_or_empty(context.input, "sessionId");
  const std::string principal = named_principal(iam, context.input);
  if (id.empty() == principal.empty()) {
    throw Error(ErrorCode::invalid_argument, "one of sessionId and userName is needed");
  }
  if (id.empty()) return json::object{{"ended", sessions.end_all(principal)}};
  sessions.end(id);
  return json::object{{"ended", 1}};
}

}  // namespace

std::string console_link_path(std::string_view token) {
  return std::string(kConsolePath) + "#link=" + std::string(token);
}

std::vector<Operation> console_operations(const Iam& iam, Sessions& sessions) {
  const auto row = [](std::string_view name, std::string_view method, std::string_view path,
                      auto work) {
    return Operation{"andon", name, Protocol::rest_json, method, path, 200, work};
  };
  return {
      row("CreateConsoleLink", "POST", "/andon/v1/console-links",
          [&sessions](const OperationContext& context) { return create_link(sessions, context); }),
      row("ListConsoleSessions", "GET", "/andon/v1/console-sessions",
          [&iam, &sessions](const OperationContext& context) {
            return list(iam, sessions, context);
          }),
      row("EndConsoleSessions", "POST", "/andon/v1/console-sessions/end",
          [&iam, &sessions](const OperationContext& context) {
            return end(iam, sessions, context);
          })};
}

}  // namespace andon::api
