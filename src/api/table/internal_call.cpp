// SPDX-License-Identifier: Apache-2.0
#include "api/table/internal_call.hpp"

#include <utility>

#include "api/table/catalogue/access_rows.hpp"
#include "api/table/catalogue/honoured_members.hpp"
#include "api/table/service_errors.hpp"
#include "base/error/error.hpp"

namespace andon::api {

using base::Error;
using base::ErrorCode;

InternalCalls::InternalCalls(const control::Iam& iam, const Authorizer& authorizer,
                             const base::Clock& clock, const fleet::Arns& arns, Find find)
    : iam_(iam), authorizer_(authorizer), clock_(clock), arns_(arns), find_(std::move(find)) {}

Caller InternalCalls::as_role(const control::RoleUse& use) const {
  Caller caller{.access_key_id = {},
                .principal = {},
                .account_id = arns_.account(),
                .region = arns_.region(),
                .token_issued = clock_.now(),
                .user_agent = std::string(use.service),
                .is_secure = true};
  try {
    caller.principal = iam_.roles.take(use);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    throw ServiceError(403, "AccessDeniedException", error.message());
  }
  return caller;
}

std::optional<std::string> InternalCalls::role_problem(const control::RoleUse& use) const {
  try {
    (void)iam_.roles.take(use);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    return error.message();
  }
  return std::nullopt;
}

const Operation* InternalCalls::find(std::string_view service, std::string_view operation) const {
  return find_(service, operation);
}

void InternalCalls::check(const Caller& caller, const Operation& operation,
                          const base::json::object& input) const {
  if (const auto sentence = authorizer_.refusal(caller, operation, input)) {
    throw access_denied(operation.protocol, *sentence);
  }
  check_honoured(operation.service, operation.name, input);
  if (gate_) gate_(operation);
}

base::json::value InternalCalls::call(const Caller& caller, std::string_view service,
                                      std::string_view operation,
                                      const base::json::object& input) const {
  const Operation* row = find_(service, operation);
  const std::string name = std::string(service) + ":" + std::string(operation);
  if (row == nullptr) {
    throw Error(ErrorCode::unsupported, "this server has no operation " + name);
  }
  if (!row->handler) throw Error(ErrorCode::internal, name + " waits: call it with an Answer");
  Seen seen{.caller = caller,
            .service = row->service,
            .operation = row->name,
            .resource = {},
            .input = &input};
  try {
    check(caller, *row, input);
    base::json::value output = row->handler({.caller = caller, .input = input});
    tell(seen);
    return output;
  } catch (...) {
    seen.failure = std::current_exception();
    tell(seen);
    throw;
  }
}

void InternalCalls::call(const Caller& caller, const Operation& operation,
                         const base::json::object& input, const Answer& answer) const {
  Seen seen{.caller = caller,
            .service = operation.service,
            .operation = operation.name,
            .resource = {},
            .input = &input};
  try {
    check(caller, operation, input);
    const OperationContext context{.caller = caller, .input = input};
    if (!operation.later) {
      base::json::value output = operation.handler(context);
      tell(seen);
      answer.succeed(std::move(output));
      return;
    }
    if (!observer_) {
      operation.later(context, answer);
      return;
    }
    // Its own copies: the call ends before the answer comes.
    const Answer observed([this, caller, input, answer, &operation](
                              base::json::value output, const std::exception_ptr& failure) {
      tell({.caller = caller,
            .service = operation.service,
            .operation = operation.name,
            .resource = {},
            .input = &input,
            .failure = failure});
      if (failure) {
        answer.fail(failure);
      } else {
        answer.succeed(std::move(output));
      }
    });
    observed.set_when_gone(
        [answer](std::function<void()> work) { answer.when_gone(std::move(work)); });
    try {
      operation.later(context, observed);
    } catch (...) {
      observed.fail(std::current_exception());
    }
  } catch (...) {
    seen.failure = std::current_exception();
    tell(seen);
    answer.fail(seen.failure);
  }
}

void InternalCalls::require(const Caller& caller, std::string_view action,
                            const std::string& resource, const policy::Context& keys) const {
  Seen seen{.caller = caller,
            .service = action.substr(0, action.find(':')),
            .operation = action,
            .resource = resource};
  const auto sentence = authorizer_.refusal(caller, action, resource, keys);
  if (!sentence) {
    tell(seen);
    return;
  }
  const ServiceError error(403, "AccessDeniedException", *sentence);
  seen.failure = std::make_exception_ptr(error);
  tell(seen);
  throw error;
}

void InternalCalls::require_operation(const Caller& caller, std::string_view service,
                                      std::string_view operation,
                                      const base::json::object& input) const {
  const Operation* row = find_(service, operation);
  if (row == nullptr) {
    throw Error(ErrorCode::internal, std::string(operation) + " is in no row of the table");
  }
  Seen seen{.caller = caller,
            .service = row->service,
            .operation = row->name,
            .resource = {},
            .input = &input};
  const auto sentence = authorizer_.refusal(caller, *row, input);
  if (!sentence) {
    tell(seen);
    return;
  }
  const ServiceError error = access_denied(row->protocol, *sentence);
  seen.failure = std::make_exception_ptr(error);
  tell(seen);
  throw error;
}

void require_rows(const std::vector<Operation>& operations) {
  for (const Operation& operation : operations) {
    const std::string name = std::string(operation.name) + " of " + std::string(operation.service);
    if (!has_honoured_members(operation.service, operation.name)) {
      throw Error(ErrorCode::internal, name + " is not in the table of honoured members");
    }
    if (find_access_row(operation.service, operation.name) == nullptr) {
      throw Error(ErrorCode::internal, name + " is not in the table of actions");
    }
  }
}

void require_pass_role(const Authorizer* authorizer, const Caller& caller, Protocol protocol,
                       const std::string& role_arn, std::string_view service,
                       const std::string& for_resource) {
  policy::Context keys;
  keys.set("iam:passedtoservice", std::string(service));
  if (!for_resource.empty()) keys.set("iam:associatedresourcearn", for_resource);
  if (const auto sentence = refusal(authorizer, caller, "iam:PassRole",
                                    control::own_role_arn(role_arn, caller.account_id), keys)) {
    throw access_denied(protocol, *sentence);
  }
}

}  // namespace andon::api
