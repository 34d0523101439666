// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/events_task.hpp"

#include "api/tasks/sdk_task.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

constexpr std::string_view kDenied = "AccessDeniedException";

// A Detail that is an object is its text.
json::object with_details_as_text(json::object input) {
  auto* entries = input.if_contains("Entries");
  if (entries == nullptr || !entries->is_array()) return input;
  for (json::value& entry : entries->get_array()) {
    auto* object = entry.if_object();
    auto* detail = object == nullptr ? nullptr : object->if_contains("Detail");
    if (detail != nullptr && !detail->is_string()) *detail = base::to_text(*detail);
  }
  return input;
}

}  // namespace

bool EventsTask::has(const asl::Resource& resource) const {
  return resource.kind == asl::Resource::Kind::service && resource.type == "events" &&
         (resource.action == "putEvents" || resource.action == "putEvents.waitForTaskToken");
}

void EventsTask::start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  const Caller caller = roles_.caller_of(task);
  const auto* parameters = task.parameters->if_object();
  const json::object input =
      with_details_as_text(parameters == nullptr ? json::object() : *parameters);
  json::value answer;
  try {
    answer = roles_.calls().call(caller, "events", "PutEvents", input);
  } catch (const ServiceError& error) {
    if (error.code() != kDenied)
      throw sdk_failure("EventBridge", "events", std::current_exception());
    throw workflow::TaskFailure(
        "EventBridge.AmazonEventBridgeException",
        std::string(error.what()) + " (Service: AmazonEventBridge; Status Code: 400; Error Code: " +
            std::string(kDenied) + "; Request ID: " + base::random_uuid() + "; Proxy: null)");
  } catch (...) {
    throw sdk_failure("EventBridge", "events", std::current_exception());
  }
  if (answer.as_object().at("FailedEntryCount").to_number<std::int64_t>() > 0) {
    reply.failed("EventBridge.FailedEntry", base::to_text(answer));
  } else if (task.resource.pattern == asl::Resource::Pattern::task_token) {
    reply.submitted(std::move(answer));
  } else {
    reply.succeeded(std::move(answer));
  }
}

}  // namespace andon::api
