// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/sdk_task.hpp"

#include <array>
#include <utility>

#include "api/table/service_errors.hpp"
#include "api/tasks/sdk/sdk_names.hpp"
#include "api/tasks/sdk/sdk_secrets.hpp"
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using workflow::TaskFailure;

constexpr std::string_view kType = "aws-sdk:";
constexpr std::string_view kDenied = "AccessDeniedException";

// "describeThing.waitForTaskToken" -> "describeThing".
std::string_view plain_action(std::string_view action) {
  return action.substr(0, action.find('.'));
}

// Operations that take a client token, and the name of that member.
struct TokenMember {
  std::string_view operation;
  std::string_view member;
};
constexpr std::array kTokens = {
    TokenMember{"CreateDeployment", "clientToken"},
    TokenMember{"CreateComponentVersion", "clientToken"},
    TokenMember{"CreateModelPackage", "ClientToken"},
    TokenMember{"RedriveExecution", "clientToken"},
    TokenMember{"StartExecution", "name"},
};

}  // namespace

TaskFailure sdk_failure(std::string_view prefix, std::string_view scope,
                        const std::exception_ptr& failure) {
  const std::string id = base::random_uuid();
  const auto made = [&](const ServiceError& error) {
    return TaskFailure(sdk_error_name(prefix, error.code()),
                       sdk_cause(error.what(), prefix, error.http_status(), id));
  };
  const auto unmodelled = [&](const ServiceError& error) {
    return TaskFailure(std::string(prefix) + "." + std::string(prefix) + "Exception",
                       sdk_cause(error.what(), prefix, error.http_status(), id));
  };
  try {
    std::rethrow_exception(failure);
  } catch (const ServiceError& error) {
    // A denial is one of the errors of Greengrass' model, and of no other's here.
    if (error.code() == kDenied && scope != "greengrass") return unmodelled(error);
    return made(error);
  } catch (const workflow::Refusal& refusal) {
    return made(ServiceError(400, refusal.code(), refusal.message()));
  } catch (const base::Error& error) {
    return made(translate(scope, error));
  } catch (const std::exception& error) {
    return unmodelled(ServiceError(500, "", error.what()));
  }
}

const Operation* SdkTask::find(const asl::Resource& resource) const {
  if (resource.kind != asl::Resource::Kind::service || !resource.type.starts_with(kType)) {
    return nullptr;
  }
  if (resource.pattern == asl::Resource::Pattern::sync) return nullptr;
  const SdkService* service =
      find_sdk_service(std::string_view(resource.type).substr(kType.size()));
  if (service == nullptr) return nullptr;
  const std::string operation = operation_of_action(plain_action(resource.action));
  if (is_secret_operation(service->scope, operation)) return nullptr;
  return roles_.calls().find(service->scope, operation);
}

bool SdkTask::has(const asl::Resource& resource) const {
  return find(resource) != nullptr;
}

void SdkTask::start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  const Operation* operation = find(task.resource);
  const SdkService* service =
      find_sdk_service(std::string_view(task.resource.type).substr(kType.size()));
  if (operation == nullptr || service == nullptr) {
    throw TaskFailure("States.Runtime", "There is no " + task.resource.text + " any more");
  }
  const auto* parameters = task.parameters->if_object();
  json::object input = parameters == nullptr ? json::object() : from_sdk(*service, *parameters);
  for (const TokenMember& token : kTokens) {
    if (token.operation == operation->name && !input.contains(token.member)) {
      input[token.member] = task.idempotency_token;
    }
  }
  const bool waits = task.resource.pattern == asl::Resource::Pattern::task_token;
  const auto tell = [reply, service, waits](const json::value& output,
                                            const std::exception_ptr& failure) {
    if (failure) {
      const TaskFailure told = sdk_failure(service->prefix, service->scope, failure);
      reply.failed(told.error(), told.cause());
    } else if (waits) {
      reply.submitted(to_sdk(*service, output));
    } else {
      reply.succeeded(to_sdk(*service, output));
    }
  };
  // First: an Answer that is dropped says that the server has ended.
  const Caller caller = roles_.caller_of(task);
  try {
    check_secret_input(operation->service, operation->name, input);
  } catch (...) {
    return tell({}, std::current_exception());
  }
  const auto tell_unless_secret = [tell, operation, input](const json::value& output,
                                                           const std::exception_ptr& failure) {
    if (failure) return tell(output, failure);
    try {
      check_secret_output(operation->service, input, output);
    } catch (...) {
      return tell({}, std::current_exception());
    }
    tell(output, nullptr);
  };
  roles_.calls().call(caller, *operation, input, Answer(tell_unless_secret));
}

}  // namespace andon::api
