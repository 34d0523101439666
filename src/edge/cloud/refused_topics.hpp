// SPDX-License-Identifier: Apache-2.0
// The topics to which the broker does not let this device publish, as it has said (fleet/names/
// topic.hpp: publish_refused): so that a component is told at once instead of being told that all
// is well. Forgotten when the device's policies change, and with the connection. At most
// kMostTopics; beyond them the oldest is forgotten, until the broker says it again. Owned by the
// agent; main thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "edge/cloud/mqtt_link.hpp"

namespace andon::edge {

class RefusedTopics {
 public:
  static constexpr std::size_t kMostTopics = 100;

  // `on_refused` is called whenever the broker says so of a topic; `on_changed` when note_of() of a
  // component ("": of one that is not known) is another than before.
  struct Handlers {
    std::function<void(const std::string& topic)> on_refused;
    std::function<void(const std::string& component)> on_changed;
  };
  RefusedTopics(MqttLink& link, const std::string& thing, Handlers handlers);
  RefusedTopics(const RefusedTopics&) = delete;
  RefusedTopics& operator=(const RefusedTopics&) = delete;
  ~RefusedTopics();

  // Before each message of a component, so that a refusal has somebody whose it is.
  void published_by(const std::string& component, const std::string& topic);
  [[nodiscard]] bool has(const std::string& topic) const;

  struct Refused {
    std::string topic;
    std::string component;  // "" where it is not known
  };
  [[nodiscard]] const std::deque<Refused>& all() const { return refused_; }  // oldest first
  // Topics of a component, for people; empty where it has none.
  [[nodiscard]] std::string note_of(const std::string& component) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }  // of refusals, since the start

 private:
  void take(const wire::MqttMessage& message);
  void refused(const std::string& topic);
  void forget();

  MqttLink& link_;
  std::string changed_topic_;
  Handlers handlers_;
  std::uint64_t subscription_ = 0;
  std::deque<Refused> refused_;
  std::map<std::string, std::string> publishers_;  // topic -> component
  std::uint64_t count_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
