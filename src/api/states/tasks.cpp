// SPDX-License-Identifier: Apache-2.0
// Activities, and the answers of tasks.
#include "api/states/rows.hpp"

namespace andon::api::states {
namespace {

using workflow::Activity;

std::string text_of(const json::object& input, std::string_view key) {
  return maybe_text(input, key).value_or("");
}

workflow::Driver::Done done(const Answer& answer) {
  return [answer](const std::exception_ptr& failure) {
    if (failure) {
      answer.fail(as_service_error(failure));
    } else {
      answer.succeed(json::object());
    }
  };
}

json::value create(const Service& service, const json::object& input) {
  const Activity activity =
      service.workflow.activities().create(text_of(input, "name"), read_tags(input));
  return json::object{{"activityArn", activity.arn}, {"creationDate", seconds(activity.created)}};
}

json::value remove(const Service& service, const json::object& input) {
  service.workflow.activities().remove(text_of(input, "activityArn"));
  return json::object();
}

json::value describe(const Service& service, const json::object& input) {
  const Activity activity = service.workflow.activities().describe(text_of(input, "activityArn"));
  return json::object{{"activityArn", activity.arn},
                      {"name", activity.name},
                      {"creationDate", seconds(activity.created)},
                      {"encryptionConfiguration", {{"type", "AWS_OWNED_KEY"}}}};
}

json::value list(const Service& service, const json::object& input) {
  const auto listed =
      service.workflow.activities().list(read_page(service, "ListActivities", input));
  json::array activities;
  for (const Activity& activity : listed.items) {
    activities.push_back(json::object{{"activityArn", activity.arn},
                                      {"name", activity.name},
                                      {"creationDate", seconds(activity.created)}});
  }
  json::object output{{"activities", std::move(activities)}};
  put_next(service, "ListActivities", output, listed.next);
  return output;
}

void poll(const Service& service, const json::object& input, const Answer& answer) {
  auto& activities = service.workflow.activities();
  const std::int64_t number = activities.poll(
      text_of(input, "activityArn"), text_of(input, "workerName"),
      [answer](const workflow::ActivityTask& task) {
        if (task.token.empty()) {
          answer.succeed(json::object{{"taskToken", nullptr}, {"input", nullptr}});
        } else {
          answer.succeed(json::object{{"taskToken", task.token}, {"input", task.input}});
        }
      });
  // A worker that has gone must not be given a task.
  answer.when_gone([&activities, number] { activities.withdraw(number); });
}

void succeed(const Service& service, const json::object& input, const Answer& answer) {
  service.workflow.send_task_success(text_of(input, "taskToken"), text_of(input, "output"),
                                     done(answer));
}

void fail(const Service& service, const json::object& input, const Answer& answer) {
  service.workflow.send_task_failure(text_of(input, "taskToken"), maybe_text(input, "error"),
                                     maybe_text(input, "cause"), done(answer));
}

void heartbeat(const Service& service, const json::object& input, const Answer& answer) {
  service.workflow.send_task_heartbeat(text_of(input, "taskToken"), done(answer));
}

}  // namespace

std::vector<Operation> task_rows(const Service& service) {
  const MemberRule activity = needed(arn("activityArn"));
  const MemberRule token = needed(secret("taskToken", 2048, 1));
  return {
      row(service, "CreateActivity", {needed(name_rule()), list_rule("tags")}, create),
      row(service, "DeleteActivity", {activity}, remove),
      row(service, "DescribeActivity", {activity}, describe),
      row(service, "ListActivities", with_page({}), list),
      row_later(service, "GetActivityTask", {activity, name_rule("workerName")}, poll),
      row_later(service, "SendTaskSuccess", {token, needed(secret("output", 262'144))}, succeed),
      row_later(service, "SendTaskFailure", {token, secret("error", 256), secret("cause", 32'768)},
                fail),
      row_later(service, "SendTaskHeartbeat", {token}, heartbeat)};
}

}  // namespace andon::api::states
