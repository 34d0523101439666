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
}

void NetworkSwitch::start() {
  parts_.link.take(way_to(with_network(parts_.enrolled, now_)));
  if (now_.state != NetworkState::trial) return;
  base::log_info("other endpoints are on trial", {{"limit_s", kTrial.count()}});
  trial_ends_ = parts_.loop.now() + kTrial;
  timer_ = parts_.loop.after(kLook, [this] { look_at_trial(); });
}

void NetworkSwitch::look_at_trial() {
  timer_ = 0;
  if (parts_.link.is_connected()) {
    worker_.run([this] { parts_.ask_server(); },
                [this](const std::exception_ptr& error) {
                  if (!error) return judge(NetworkState::good, "");
                  try {
                    std::rethrow_exception(error);
                  } catch (const std::exception& what) {
                    judge(NetworkState::failed, what.what());
                  }
                });
    return;
  }
  if (parts_.loop.now() >= trial_ends_) {
    const wire::MqttCounts counts = parts_.link.counts();
    return judge(NetworkState::failed,
                 "no connection to " + text_of(counts.endpoint) + ": " + counts.problem);
  }
  timer_ = parts_.loop.after(kLook, [this] { look_at_trial(); });
}

void NetworkSwitch::judge(NetworkState state, std::string why) {
  now_.state = state;
  now_.why = std::move(why);
  wanted_ = now_;
  if (state == NetworkState::good) {
    base::log_info("the new endpoints answer: they hold from now on");
    save([this] {
      parts_.link.take(way_to(with_network(parts_.enrolled, now_)));
      parts_.on_change();
    });
    return;
  }
  base::log_error("the new endpoints do not answer: returning to those before",
                  {{"why", now_.why}});
  save([this] { parts_.restart_agent(); });
}

void NetworkSwitch::take(const json::object* nucleus) {
  if (parts_.is_busy() || timer_ != 0) return;  // its end comes here again
  try {
    NetworkSettings wanted = wanted_network(nucleus, parts_.enrolled);
    refusal_.clear();
    if (wanted.wants_the_same(wanted_)) return;
    wanted.state = wanted.has_endpoints() ? NetworkState::trial : NetworkState::good;
    wanted_ = std::move(wanted);
  } catch (const base::Error& error) {
    if (std::exchange(refusal_, error.message()) == error.message()) return;
    base::log_warning("what a deployment says of the network is left out", {{"why", refusal_}});
    return parts_.on_change();
  }
  base::log_info("the way to the server changes: the agent starts again for it");
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
  return status;
}

}  // namespace andon::edge
