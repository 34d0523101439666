// SPDX-License-Identifier: Apache-2.0
// Tells the server what really runs on the device: at the first connection, after each reconnect
// and deployment, once a day, and when a component changes state by itself. Owned by the agent;
// main thread only. The sequence number lives in config.db, so that it rises over restarts.
#pragma once

#include <set>
#include <string>

#include "edge/cloud/mqtt_link.hpp"
#include "edge/cloud/refused_topics.hpp"
#include "edge/deploy/deployment_engine.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/run/component_host.hpp"
#include "edge/run/supervisor.hpp"
#include "edge/state/state_writer.hpp"

namespace andon::edge {

// What is to be said of a component, the weightiest of it; `running` is null where the supervisor
// does not have it.
[[nodiscard]] ComponentNote note_about(const std::string& component, const Component* running,
                                       const AgentHost& host, const RefusedTopics& refused);

class HealthReporter {
 public:
  struct Parts {
    EventLoop& loop;
    MqttLink& link;
    StateWriter& writer;
    const base::Clock& clock;
    const AgentHost& host;
    const Supervisor& supervisor;
    const RefusedTopics& refused;
    std::string thing;
    std::string architecture;
  };

  explicit HealthReporter(Parts parts);
  HealthReporter(const HealthReporter&) = delete;
  HealthReporter& operator=(const HealthReporter&) = delete;
  ~HealthReporter();

  // Changes within a short time go out in one message. During a deployment nothing is sent: its
  // end tells all.
  void component_changed(const std::string& name, bool during_deployment);
  void deployment_ended(const fleet::DeploymentHealth& outcome);

 private:
  void on_connection(bool connected);
  void send(fleet::HealthTrigger trigger, const std::set<std::string>* only,
            const fleet::DeploymentHealth* outcome);
  [[nodiscard]] fleet::ComponentHealth describe(const InstalledComponent& component) const;
  void send_again(fleet::HealthTrigger trigger,
                  const std::optional<fleet::DeploymentHealth>& ended);
  void send_daily();

  Parts parts_;
  bool launched_ = false;  // the first message has gone out
  std::set<std::string> changed_;
  EventLoop::TimerId change_timer_ = 0;
  EventLoop::TimerId daily_timer_ = 0;
  EventLoop::TimerId again_timer_ = 0;
  std::optional<fleet::DeploymentHealth> unsent_end_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
