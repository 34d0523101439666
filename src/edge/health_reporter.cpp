// SPDX-License-Identifier: Apache-2.0
#include "edge/health_reporter.hpp"

#include <chrono>
#include <utility>

#include "base/json.hpp"
#include "edge/state_database.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kSequence = "health_sequence";
constexpr std::chrono::milliseconds kGather{200};
constexpr std::chrono::hours kCadence{24};

}  // namespace

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
}

void HealthReporter::on_connection(bool connected) {
  if (!connected) return;
  send(std::exchange(launched_, true) ? HealthTrigger::reconnect : HealthTrigger::nucleus_launch,
       nullptr, nullptr);
}

void HealthReporter::send_daily() {
  daily_timer_ = parts_.loop.after(kCadence, [this] {
    send(HealthTrigger::cadence, nullptr, nullptr);
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
    send(HealthTrigger::component_status_change, &changed, nullptr);
  });
}

void HealthReporter::deployment_ended(const DeploymentOutcome& outcome) {
  changed_.clear();
  const bool is_group = recipe::target_of(outcome.configuration_arn).starts_with("thinggroup/");
  send(is_group ? HealthTrigger::thing_group_deployment : HealthTrigger::thing_deployment, nullptr,
       &outcome);
}

ComponentHealth HealthReporter::describe(const InstalledComponent& component) const {
  ComponentHealth health;
  health.name = component.name;
  health.version = component.version;
  health.is_root = component.is_root;
  health.state = "NEW";
  for (const std::string& target : component.wanted_by) {
    const auto found = parts_.host.active().targets.find(target);
    if (found != parts_.host.active().targets.end()) {
      health.configuration_arns.push_back(found->second.configuration_arn);
    }
  }
  const Component* running = parts_.supervisor.find(component.name);
  if (running == nullptr) return health;
  health.version = running->spec().version;
  health.state = to_string(running->state());
  if (running->state() == ComponentState::errored || running->state() == ComponentState::broken) {
    health.status_code = running->status_code();
    health.reason = running->reason();
  }
  return health;
}

void HealthReporter::send(HealthTrigger trigger, const std::set<std::string>* only,
                          const DeploymentOutcome* outcome) {
  if (!parts_.link.is_connected()) return;  // the message after the connection tells all
  HealthReport report;
  report.thing = parts_.thing;
  report.architecture = parts_.architecture;
  report.trigger = trigger;
  report.is_complete = only == nullptr;
  for (const InstalledComponent& component : parts_.host.active().components) {
    ComponentHealth health = describe(component);
    report.any_broken |= health.state == to_string(ComponentState::broken);
    if (only == nullptr || only->contains(component.name)) {
      report.components.push_back(std::move(health));
    }
  }
  if (outcome != nullptr) {
    const JobStatus& status = outcome->status;
    report.deployment =
        DeploymentHealth{outcome->deployment_id, outcome->configuration_arn, status.status,
                         status.detailed_status, status.failure_cause,       status.error_stack,
                         status.error_types};
  }
  report.time = parts_.clock.now();
  report.sequence_number = next_number(parts_.database, kSequence);
  parts_.link.publish({health_topic(parts_.thing), base::to_text(to_json(report))},
                      wire::Qos::at_least_once, {}, {});
}

}  // namespace andon::edge
