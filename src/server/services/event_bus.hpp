// SPDX-License-Identifier: Apache-2.0
// The event bus of the server, put together: rules, schedules, the queue, what feeds it and what
// brings events to their targets. Made after what it calls; run() when the operation table is
// there, stop() before that goes.
#pragma once

#include <functional>
#include <memory>

#include "api/console/changes.hpp"
#include "api/device/device_mqtt.hpp"
#include "api/events/events.hpp"
#include "api/git/git_places.hpp"
#include "api/targets/event_targets.hpp"
#include "api/topicrules/rule_actions.hpp"
#include "api/topicrules/rule_feed.hpp"
#include "control/control_plane.hpp"
#include "events/delivery/dispatcher.hpp"
#include "events/repositories/watcher.hpp"
#include "events/schedule/schedules.hpp"
#include "events/webhooks/webhooks.hpp"
#include "workflow/engine/workflow.hpp"

namespace andon::server {

class EventBus {
 public:
  struct Parts {
    store::Database& database;           // the control plane's, with the object store's index
    store::Database& workflow_database;  // after the engine has made its tables
    control::ControlPlane& control;
    control::Connections& connections;
    control::Logs& logs;
    store::ObjectStore& objects;
    const api::InternalCalls& calls;
    const api::Authorizer& authorizer;
    api::HttpTask& http;
    api::MqttNotifier& notifier;
    const trust::SealingKey& key;
    api::GitPlaces git;
    wire::GitOptions git_options;
    api::MailOptions mail;
    const base::Clock& clock;
    // Hears of each change of this server's own on its way to the bus, and may hear of one twice.
    std::function<void(api::ChangeKind)> on_change = {};
  };
  // All that is referred to outlives this.
  explicit EventBus(const Parts& parts);

  void run() {
    dispatcher_.run();
    watcher_.run();
  }
  void stop();

  // What brings messages of the broker to topic rules.
  [[nodiscard]] api::RuleFeed& rule_feed() { return rule_feed_; }

  // The rows of EventBridge, its Scheduler, topic rules, and andon's own about events.
  [[nodiscard]] std::vector<api::Operation> operations();
  // Onto the default bus, within the caller's transaction on the same database.
  void accept(store::Transaction& tx, const events::Event& event);
  // What became of an asynchronous call of a function, in AWS's words, as an event.
  void put_function_record(const std::string& bus, const std::string& record);
  // A push of a forge, on /hooks/NAME.
  [[nodiscard]] wire::HttpResponse take_push(const wire::HttpRequest& request);
  // Of pushes that were refused the counts, durably; to be called by and by.
  void keep_push_outcomes() { webhooks_.keep_outcomes(); }

 private:
  [[nodiscard]] api::EventParts event_parts();
  [[nodiscard]] std::vector<events::Feed> feeds() const;
  void tell(api::ChangeKind kind) const;
  // What a watched repository's ref names.
  [[nodiscard]] std::optional<std::string> look(const events::Repository& repository) const;

  const Parts parts_;
  events::Rules rules_;
  events::Destinations destinations_;
  events::Schedules schedules_;
  events::EventQueue queue_;
  events::Webhooks webhooks_;
  events::TopicRules topic_rules_;
  api::Mailer mailer_;
  api::EventTargets targets_;
  api::Republished republished_;
  api::RuleActions rule_actions_;
  events::Repositories repositories_;
  events::Dispatcher dispatcher_;  // its thread uses all of the above
  api::RuleFeed rule_feed_;
  events::RepositoryWatcher watcher_;
};

}  // namespace andon::server
