// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/network_switch.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::seconds;

// What the deployment has to report leaves by the way that it came.
constexpr seconds kSwitchDelay{3};
constexpr seconds kTrial{60};
constexpr seconds kLook{1};
// A name may be there later than the server that goes by it; each trial cuts the connection.
constexpr std::chrono::hours kRetry{6};

std::string text_of(const wire::MqttEndpoint& endpoint) {
  return endpoint.host + ':' + std::to_string(endpoint.port);
}

// Without user and password.
std::string shown(const std::string& proxy) {
  const std::size_t scheme = proxy.find("://");
  const std::size_t at = proxy.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos) return proxy;
  return proxy.substr(0, scheme + 3) + proxy.substr(at + 1);
}

}  // namespace

wire::MqttWay way_to(const DeviceConfig& device) {
  wire::MqttWay way;
  way.endpoints.push_back({device.mqtt.host, device.mqtt.port});
  for (const fleet::Endpoint& other : device.other_brokers) {
    way.endpoints.push_back({other.host, other.port});
  }
  way.proxy = device.proxy;
  way.no_proxy = device.no_proxy;
  return way;
}

NetworkSwitch::NetworkSwitch(Parts parts)
    : parts_(std::move(parts)),
      now_(parts_.settings),
      wanted_(parts_.settings),
      worker_(parts_.loop) {}

NetworkSwitch::~NetworkSwitch() {
  parts_.loop.cancel(timer_);
  parts_.loop.cancel(retry_timer_);
}

void NetworkSwitch::start() {
  parts_.link.take(way_to(with_network(parts_.enrolled, now_)));
  if (now_.told && now_.told_state == NetworkState::failed) {
    retry_timer_ = parts_.loop.after(kRetry, [this] {
      retry_timer_ = 0;
      now_.told.reset();
      wanted_ = now_;
      follow_server();
    });
  }
  if (!now_.tries_deployment() && !now_.tries_move()) return;
  base::log_info("other endpoints are on trial", {{"limit_s", kTrial.count()}});
  trial_ends_ = parts_.loop.now() + kTrial;
  timer_ = parts_.loop.after(kLook, [this] { look_at_trial(); });
}

void NetworkSwitch::look_at_trial() {
  timer_ = 0;
  if (parts_.link.is_connected()) {
    asking_ = true;
    worker_.run([this] { parts_.ask_server(); },
                [this](const std::exception_ptr& error) {
                  asking_ = false;
                  if (!error) return judge(true, "");
                  try {
                    std::rethrow_exception(error);
                  } catch (const std::exception& what) {
                    judge(false, what.what());
                  }
                });
    return;
  }
  if (parts_.loop.now() >= trial_ends_) {
    const wire::MqttCounts counts = parts_.link.counts();
    return judge(false, "no connection to " + text_of(counts.endpoint) + ": " + counts.problem);
  }
  timer_ = parts_.loop.after(kLook, [this] { look_at_trial(); });
}

void NetworkSwitch::judge(bool answers, std::string why) {
  if (now_.tries_deployment()) {
    now_.state = answers ? NetworkState::good : NetworkState::failed;
    now_.why = std::move(why);
  } else if (answers) {
    keep_told_address(now_, parts_.enrolled);
  } else {
    now_.told_state = NetworkState::failed;
    now_.told_why = std::move(why);
  }
  wanted_ = now_;
  if (answers) {
    base::log_info("the new endpoints answer: they hold from now on");
    save([this] {
      parts_.link.take(way_to(with_network(parts_.enrolled, now_)));
      parts_.on_change();
      follow_server();
    });
    return;
  }
  base::log_error("the new endpoints do not answer: returning to those before",
                  {{"why", now_.told_why.empty() ? now_.why : now_.told_why}});
  save([this] { parts_.restart_agent(); });
}

// The end of what it is at comes to take() or follow_server() again.
bool NetworkSwitch::is_occupied() const {
  return parts_.is_busy() || timer_ != 0 || asking_;
}

void NetworkSwitch::take(const json::object* nucleus) {
  if (is_occupied()) return;
  try {
    NetworkSettings wanted = wanted_network(nucleus, with_move(parts_.enrolled, now_));
    refusal_.clear();
    if (wanted.wants_the_same(wanted_)) return follow_server();
    wanted.state = wanted.has_endpoints() ? NetworkState::trial : NetworkState::good;
    wanted.moved_to = now_.moved_to;
    wanted.told = now_.told;
    wanted.told_state = now_.told_state;
    wanted.told_why = now_.told_why;
    wanted_ = std::move(wanted);
  } catch (const base::Error& error) {
    if (std::exchange(refusal_, error.message()) == error.message()) return;
    base::log_warning("what a deployment says of the network is left out", {{"why", refusal_}});
    return parts_.on_change();
  }
  base::log_info("the way to the server changes: the agent starts again for it");
  switch_soon();
}

void NetworkSwitch::take(const fleet::ServerAddresses& addresses) {
  addresses_ = addresses;
  follow_server();
}

void NetworkSwitch::follow_server() {
  if (!addresses_ || is_occupied()) return;
  const auto next = address_to_try(*addresses_, parts_.enrolled, wanted_);
  const bool is_told_of_another = wanted_.told && addresses_->now != *wanted_.told;
  if (!next && !is_told_of_another) return;
  wanted_.told = next;
  wanted_.told_state = NetworkState::trial;
  wanted_.told_why.clear();
  if (!wanted_.tries_move()) {  // it is back where it was, or a deployment has its own endpoints
    now_ = wanted_;
    return save([this] { parts_.on_change(); });
  }
  base::log_info("the server has moved: the agent starts again to follow it",
                 {{"to", text_of({next->mqtt.host, next->mqtt.port})}});
  switch_soon();
}

void NetworkSwitch::switch_soon() {
  timer_ = parts_.loop.after(kSwitchDelay, [this] {
    timer_ = 0;
    if (parts_.is_busy()) return switch_soon();
    now_ = wanted_;
    save([this] { parts_.restart_agent(); });
  });
}

void NetworkSwitch::save(std::function<void()> then) {
  worker_.run([this] { save_network(parts_.layout, now_); },
              [this, then = std::move(then)](const std::exception_ptr& error) {
                if (!error) return then();
                try {
                  std::rethrow_exception(error);
                } catch (const std::exception& what) {
                  refusal_ = std::string("it cannot be written down: ") + what.what();
                  base::log_error("the way to the server cannot be changed", {{"why", refusal_}});
                  parts_.on_change();
                }
              });
}

json::object NetworkSwitch::status() const {
  const wire::MqttCounts counts = parts_.link.counts();
  json::object status{{"broker", text_of(counts.endpoint)},
                      {"mqtt", counts.version == wire::MqttVersion::v5 ? "5" : "3.1.1"},
                      {"attempts", counts.attempts},
                      {"connections", counts.connections},
                      {"losses", counts.losses}};
  if (!counts.problem.empty()) status["lastProblem"] = counts.problem;
  if (!now_.proxy.empty()) status["proxy"] = shown(now_.proxy);
  if (now_.has_endpoints()) {
    status["endpoints"] = now_.state == NetworkState::trial  ? "on trial"
                          : now_.state == NetworkState::good ? "of a deployment"
                                                             : "given up";
  }
  const std::string& why = refusal_.empty() ? now_.why : refusal_;
  if (!why.empty()) status["why"] = why;
  if (now_.moved_to) status["movedTo"] = now_.moved_to->data_plane.https_url();
  if (now_.told) {
    status["told"] = now_.told->data_plane.https_url();
    status["toldState"] = now_.told_state == NetworkState::trial ? "on trial" : "given up";
    if (!now_.told_why.empty()) status["toldWhy"] = now_.told_why;
  }
  return status;
}

}  // namespace andon::edge
