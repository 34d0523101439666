// SPDX-License-Identifier: Apache-2.0
#include "server/services/event_bus.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/events/andon_rows.hpp"
#include "api/events/own_events.hpp"
#include "api/git/repository_rows.hpp"
#include "api/scheduler/scheduler.hpp"
#include "api/table/members.hpp"
#include "api/topicrules/operations.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "control/identity/access_keys.hpp"
#include "control/shared/own_events.hpp"
#include "store/objects/object_events.hpp"
#include "workflow/observe/status_changes.hpp"

namespace andon::server {

EventBus::EventBus(const Parts& parts)
    : parts_(parts),
      rules_(parts.database, parts.clock),
      destinations_(parts.database, parts.clock),
      schedules_(parts.database, parts.clock),
      queue_(parts.database, parts.clock,
             events::EventArns(parts.control.arns.region(), parts.control.arns.account()), rules_),
      webhooks_(queue_, parts.key, parts.clock, [this] { tell(api::ChangeKind::triggers); }),
      topic_rules_(parts.database, parts.clock),
      mailer_(parts.mail, parts.clock),
      targets_(
          {.calls = parts.calls,
           .logs = parts.logs,
           .http = parts.http,
           .destinations = destinations_,
           .queue = queue_,
           .clock = parts.clock,
           .publish =
               [&notifier = parts.notifier](const std::string& topic, const std::string& payload,
                                            std::function<void(bool)> told) {
                 notifier.publish_told(topic, payload, std::move(told));
               },
           .mailer = mailer_}),
      republished_(parts.clock),
      rule_actions_(
          {.calls = parts.calls,
           .objects = parts.objects,
           .logs = parts.logs,
           .http = parts.http,
           .arns = queue_.arns(),
           .clock = parts.clock,
           .republished = republished_,
           .publish =
               [&notifier = parts.notifier](const wire::MqttMessage& message, wire::Qos qos,
                                            const wire::MqttPublishProperties& properties,
                                            std::function<void(bool)> told) {
                 notifier.publish_told(message, qos, properties, std::move(told));
               }}),
      repositories_(queue_, parts.clock),
      dispatcher_(
          queue_, parts.clock, feeds(),
          [this](const events::Delivery& delivery, const events::Reply& reply) {
            if (api::is_of_topic_rule(delivery)) {
              rule_actions_.send(delivery, reply);
            } else {
              targets_.send(delivery, reply);
            }
          },
          {}, [this] { tell(api::ChangeKind::triggers); }),
      rule_feed_({.rules = topic_rules_,
                  .queue = queue_,
                  .republished = republished_,
                  .clock = parts.clock,
                  .delivered = [this] { dispatcher_.wake(); }}),
      watcher_(
          repositories_, [this](const events::Repository& one) { return look(one); },
          [this] { dispatcher_.wake(); }) {
  store::migrate_object_events(parts.database);
}

api::EventParts EventBus::event_parts() {
  return {.connections = parts_.connections,
          .tags = parts_.control.tags,
          .rules = rules_,
          .destinations = destinations_,
          .queue = queue_,
          .arns = parts_.control.arns,
          .clock = parts_.clock,
          .authorizer = &parts_.authorizer,
          .wake = [this] { dispatcher_.wake(); },
          .may_mail =
              [this](const std::string& address) {
                return !parts_.mail.server.url.empty() && api::may_be_mailed(parts_.mail, address);
              }};
}

std::vector<api::Operation> EventBus::operations() {
  std::vector<api::Operation> all = api::events_operations(event_parts());
  const auto add = [&all](std::vector<api::Operation> some) {
    std::ranges::move(some, std::back_inserter(all));
  };
  add(api::scheduler_operations(
      {.schedules = schedules_,
       .tags = parts_.control.tags,
       .arns = queue_.arns(),
       .authorizer = &parts_.authorizer,
       .has_operation =
           [&calls = parts_.calls](std::string_view service, std::string_view operation) {
             return calls.find(service, operation) != nullptr;
           },
       .wake = [this] { dispatcher_.wake(); }}));
  add(api::topic_rule_operations({.rules = topic_rules_,
                                  .arns = queue_.arns(),
                                  .authorizer = &parts_.authorizer,
                                  .changed = [this] { rule_feed_.wake(); }}));
  add(api::webhook_operations(webhooks_, queue_));
  add(api::repository_operations(
      {.repositories = repositories_, .calls = parts_.calls, .git = parts_.git, .wake = [this] {
         watcher_.wake();
       }}));
  return all;
}

std::optional<std::string> EventBus::look(const events::Repository& repository) const {
  // The list of places may have changed since it was put.
  const wire::GitUrl url = parts_.git.check(repository.url);
  std::optional<wire::GitLogin> login;
  if (!repository.secret_id.empty()) {
    // Who put it was allowed to read it.
    const api::Caller server{.access_key_id = {},
                             .principal = std::string(control::kOperatorPrincipal),
                             .account_id = queue_.arns().account(),
                             .region = queue_.arns().region()};
    const auto answer = parts_.calls.call(server, "secretsmanager", "GetSecretValue",
                                          {{"SecretId", repository.secret_id}});
    login = api::git_login(api::text_or_empty(answer.as_object(), "SecretString"));
  }
  return wire::git_ls_remote(url, repository.ref, login, parts_.git_options);
}

void EventBus::accept(store::Transaction& tx, const events::Event& event) {
  queue_.accept(tx, std::string(events::kDefaultBus), events::envelop(event, queue_.arns()));
  dispatcher_.wake();
}

void EventBus::put_function_record(const std::string& bus, const std::string& record) {
  auto parsed = base::parse_json(record, "a record of a function", {.max_depth = 600});
  const auto text_at = [&parsed](std::string_view pointer) {
    boost::system::error_code absent;
    const auto* value = parsed.find_pointer(pointer, absent);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
  };
  const bool is_success = text_at("/requestContext/condition") == "Success";
  const std::string function = text_at("/requestContext/functionArn");
  queue_.accept(bus, events::envelop({.source = "lambda",
                                      .detail_type = std::string("Lambda Function Invocation "
                                                                 "Result - ") +
                                                     (is_success ? "Success" : "Failure"),
                                      .resources = {function},
                                      .detail = std::move(parsed.as_object()),
                                      .time = parts_.clock.now()},
                                     queue_.arns()));
  dispatcher_.wake();
}

void EventBus::stop() {
  watcher_.stop();
  dispatcher_.stop();
  try {
    keep_push_outcomes();
  } catch (const base::Error& error) {
    base::log_warning("what webhooks have refused last is not remembered",
                      {{"reason", error.message()}});
  }
}

wire::HttpResponse EventBus::take_push(const wire::HttpRequest& request) {
  wire::HttpResponse response = api::take_push(webhooks_, request);
  dispatcher_.wake();
  return response;
}

void EventBus::tell(api::ChangeKind kind) const {
  if (parts_.on_change) parts_.on_change(kind);
}

std::vector<events::Feed> EventBus::feeds() const {
  using events::Feed;
  store::Database& database = parts_.database;
  store::Database& executions = parts_.workflow_database;
  const fleet::Arns& arns = parts_.control.arns;
  return {
      {.name = "control",
       .read =
           [this, &database, &arns](std::int64_t, std::size_t limit) {
             std::vector<Feed::Item> items;
             const auto batch = database.read([&](store::Transaction& tx) {
               return control::Outbox::read(tx, control::kEventConsumer, limit);
             });
             for (const control::OutboxEntry& entry : batch.entries) {
               tell(api::changed_by_outbox(entry.kind));
               items.push_back({entry.id, api::own_event(entry, arns)});
             }
             return items;
           },
       .taken =
           [&database](std::int64_t position) {
             database.write([&](store::Transaction& tx) {
               control::Outbox::advance(tx, control::kEventConsumer, position);
             });
           }},
      {.name = "executions",
       .read =
           [this, &executions](std::int64_t after, std::size_t limit) {
             std::vector<Feed::Item> items;
             for (const auto& change : workflow::status_changes(executions, after, limit)) {
               tell(api::ChangeKind::executions);
               items.push_back({change.position, api::own_event(change)});
             }
             return items;
           },
       .taken =
           [&executions](std::int64_t position) {
             workflow::forget_status_changes(executions, position);
           }},
      {.name = "objects",
       .read =
           [this, &database, &arns](std::int64_t after, std::size_t limit) {
             std::vector<Feed::Item> items;
             for (const auto& change : store::object_changes(database, after, limit)) {
               tell(api::ChangeKind::objects);
               items.push_back({change.position, api::own_event(change, arns)});
             }
             return items;
           },
       .taken = [&database](
                    std::int64_t position) { store::forget_object_changes(database, position); }},
  };
}

}  // namespace andon::server
