// SPDX-License-Identifier: Apache-2.0
// Takes the device from one way to its server to another, as deployments want it, or the server
// itself where it has moved: writes it down,
// starts the agent again, and sees whether the new endpoints answer; where they do not within a
// minute, the device is as it was, and says why. Owned by the agent; main thread only, files and
// questions on its own worker. After a crash the next start judges anew.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json/fwd.hpp"
#include "edge/builtin/network_settings.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"

namespace andon::edge {

class NetworkSwitch {
 public:
  struct Parts {
    EventLoop& loop;
    MqttLink& link;
    const Layout& layout;
    const DeviceConfig& enrolled;
    const NetworkSettings& settings;  // that this agent has begun with
    // Blocks: throws where the server does not answer at its HTTPS endpoint.
    std::function<void()> ask_server;
    std::function<bool()> is_busy;  // with a deployment
    std::function<void()> restart_agent;
    std::function<void()> on_change;  // of what status() says
  };

  explicit NetworkSwitch(Parts parts);
  NetworkSwitch(const NetworkSwitch&) = delete;
  NetworkSwitch& operator=(const NetworkSwitch&) = delete;
  ~NetworkSwitch();

  // Gives the connection its way, and begins to judge what is on trial.
  void start();
  // The configuration of the nucleus as it is now; null where it is not in the set.
  void take(const base::json::object* nucleus);
  // Where the server says that it is, and was.
  void take(const fleet::ServerAddresses& addresses);
  // For `andon-edge status`.
  [[nodiscard]] base::json::object status() const;

 private:
  void switch_soon();
  void follow_server();
  [[nodiscard]] bool is_occupied() const;
  void look_at_trial();
  void judge(bool answers, std::string why);
  void save(std::function<void()> then);

  Parts parts_;
  NetworkSettings now_;
  NetworkSettings wanted_;
  std::string refusal_;  // of what is wanted
  std::optional<fleet::ServerAddresses> addresses_;
  LoopClock::Instant trial_ends_;
  bool asking_ = false;  // the server, at the end of a trial
  EventLoop::TimerId timer_ = 0;
  EventLoop::TimerId retry_timer_ = 0;
  Worker worker_;  // last: it ends before what its work uses
};

// Where the broker of `device` is looked for.
[[nodiscard]] wire::MqttWay way_to(const DeviceConfig& device);

}  // namespace andon::edge
