// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/health_reporter.hpp"

#include <chrono>
#include <utility>

#include "base/json/json.hpp"
#include "edge/state/state_database.hpp"
#include "edge/state/version.hpp"
#include "fleet/names/arn.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kSequence = "health_sequence";
constexpr std::chrono::milliseconds kGather{200};
constexpr std::chrono::hours kCadence{24};
constexpr std::chrono::seconds kSendAgain{5};

}  // namespace

ComponentNote note_about(const std::string& component, const Component* running,
                         const AgentHost& host, const RefusedTopics& refused) {
  if (ComponentNote note = host.note_of(component); !note.text.empty()) return note;
  std::string limits = running == nullptr ? "" : running->note();
  if (!limits.empty()) return {NoteCode::limits_not_kept, std::move(limits)};
  return {NoteCode::publish_refused, refused.note_of(component)};
}

HealthReporter::HealthReporter(Parts parts) : parts_(std::move(parts)) {
  parts_.link.on_connection([this, alive = alive_](bool connected) {
    if (*alive) on_connection(connected);
  });
  send_daily();
}

HealthReporter::~HealthReporter() {
  *alive_ = false;
  parts_.loop.cancel(change_timer_);
  parts_.loop.cancel(daily_timer_);
  parts_.loop.cancel(again_timer_);
}

void HealthReporter::on_connection(bool connected) {
  if (!connected) return;
  send(std::exchange(launched_, true) ? fleet::HealthTrigger::reconnect
                                      : fleet::HealthTrigger::nucleus_launch,
       nullptr, nullptr);
}

void HealthReporter::send_daily() {
  daily_timer_ = parts_.loop.after(kCadence, [this] {
    send(fleet::HealthTrigger::cadence, nullptr, nullptr);
    send_daily();
  });
}

void HealthReporter::component_changed(const std::string& name, bool during_deployment) {
  if (during_deployment) return;
  changed_.insert(name);
  if (change_timer_ != 0) return;
  change_timer_ = parts_.loop.after(kGather, [this] {
    change_timer_ = 0;
    const std::set<std::string> changed = std::exchange(changed_, {});
    send(fleet::HealthTrigger::component_status_change, &changed, nullptr);
  });
}

void HealthReporter::deployment_ended(const fleet::DeploymentHealth& ended) {
  changed_.clear();
  const auto configuration = fleet::parse_configuration_arn(ended.configuration_arn);
  const bool is_group =
      configuration && configuration->target.kind == fleet::Target::Kind::thing_group;
  const fleet::HealthTrigger trigger = ended.is_local ? fleet::HealthTrigger::local_deployment
                                       : is_group     ? fleet::HealthTrigger::thing_group_deployment
                                                      : fleet::HealthTrigger::thing_deployment;
  send(trigger, nullptr, &ended);
}

fleet::ComponentHealth HealthReporter::describe(const InstalledComponent& component) const {
  fleet::ComponentHealth health;
  health.name = component.name;
  health.version = component.version;
  health.is_root = component.is_root;
  for (const std::string& target : component.wanted_by) {
    const auto found = parts_.host.active().targets.find(target);
    if (found != parts_.host.active().targets.end()) {
      health.configuration_arns.push_back(found->second.configuration_arn);
    }
  }
  const Component* running = parts_.supervisor.find(component.name);
  if (ComponentNote note = note_about(component.name, running, parts_.host, parts_.refused);
      !note.text.empty()) {
    health.status_codes = {std::string(to_string(note.code))};
    health.reason = std::move(note.text);
  }
  if (running == nullptr) return health;
  health.version = running->spec().version;
  health.state = running->state();
  const bool failed_to_stop = running->state() == ComponentState::installed &&
                              running->status_code().starts_with("SHUTDOWN_");
  if (running->state() == ComponentState::errored || running->state() == ComponentState::broken ||
      failed_to_stop) {
    health.status_codes = {std::string(running->status_code())};
    health.reason = running->reason();
  }
  return health;
}

// A full disk: what was not numbered went to nobody. All is told once there is room.
void HealthReporter::send_again(fleet::HealthTrigger trigger,
                                const std::optional<fleet::DeploymentHealth>& ended) {
  if (ended) unsent_end_ = ended;
  if (again_timer_ != 0) return;
  again_timer_ = parts_.loop.after(kSendAgain, [this, trigger] {
    again_timer_ = 0;
    const auto unsent = std::exchange(unsent_end_, std::nullopt);
    send(trigger, nullptr, unsent ? &*unsent : nullptr);
  });
}

void HealthReporter::send(fleet::HealthTrigger trigger, const std::set<std::string>* only,
                          const fleet::DeploymentHealth* ended) {
  if (!parts_.link.is_connected()) return;  // the message after the connection tells all
  fleet::HealthMessage message;
  message.core_version = kCoreVersion;
  message.platform = "linux";
  message.architecture = parts_.architecture;
  message.runtime = kRuntime;
  message.thing = parts_.thing;
  message.trigger = trigger;
  message.scope = only == nullptr ? fleet::HealthScope::complete : fleet::HealthScope::partial;
  for (const InstalledComponent& component : parts_.host.active().components) {
    fleet::ComponentHealth health = describe(component);
    // Of all components, also those that the message does not name.
    if (health.state == ComponentState::broken) message.health = fleet::DeviceHealth::unhealthy;
    if (only == nullptr || only->contains(component.name)) {
      message.components.push_back(std::move(health));
    }
  }
  if (ended != nullptr) message.deployment = *ended;
  message.sent = parts_.clock.now();
  const auto number = std::make_shared<std::int64_t>(0);
  parts_.writer.run(
      [number](store::Transaction& transaction) { *number = next_number(transaction, kSequence); },
      [this, alive = alive_, number, trigger, message](std::exception_ptr error) mutable {
        if (!*alive) return;
        if (error) {
          send_again(trigger, message.deployment);
          std::rethrow_exception(error);
        }
        message.sequence_number = *number;
        parts_.link.publish(
            {fleet::DeviceTopics(parts_.thing).health(), base::to_text(to_json(message))},
            wire::Qos::at_least_once, {}, {});
      });
}

}  // namespace andon::edge
