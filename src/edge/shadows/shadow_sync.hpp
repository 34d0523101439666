// SPDX-License-Identifier: Apache-2.0
// Keeps shadows of this device the same as the server's, as aws.greengrass.ShadowManager is
// configured. Each shadow is asked for when the connection comes up, and when the server or a
// component has changed it; what device and server last had in common is in config.db, so that
// changes of both sides while they were apart, or the agent was not there, come together. One
// exchange a shadow at a time, few at once; without an answer it is made again. Owned by the agent;
// main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/shadows/sync_settings.hpp"
#include "edge/state/state_writer.hpp"

namespace andon::edge {

class ShadowSync {
 public:
  struct Parts {
    EventLoop& loop;
    MqttLink& link;
    StateWriter& writer;
    const base::Clock& clock;
    std::string thing;
    // To the components of this device.
    std::function<void(const std::string& topic, const base::json::object& message)> publish;
  };
  explicit ShadowSync(Parts parts);
  ShadowSync(const ShadowSync&) = delete;
  ShadowSync& operator=(const ShadowSync&) = delete;
  ~ShadowSync();

  // The configuration of the shadow manager as it is now; null where it is not in the set.
  void configure(const base::json::object* configuration);
  // By a component.
  void own_changed(const std::string& thing, const std::string& name);

 private:
  enum class Step : std::uint8_t { idle, asking, working, updating, deleting };
  struct Exchange {
    Step step = Step::idle;
    bool asks_server = false;  // next: what the server has may be another
    bool is_due = false;       // next: what the device has may be another
    bool may_go = false;       // not only with the next period
    std::string token;         // of what is asked
    EventLoop::TimerId timer = 0;
    std::optional<SyncedShadow> after;  // once the server has taken the update
  };
  using Entry = std::map<ShadowKey, Exchange>::value_type;
  struct Work;  // what a transaction has found

  void on_connection(bool connected);
  void on_message(const wire::MqttMessage& message);
  void all_due();
  void hurry(Entry& entry);
  void go_on();
  void start(Entry& entry);
  void ask(Entry& entry, Step step, const std::string& verb, base::json::object request);
  void work(Entry& entry, std::optional<std::optional<ServerShadow>> server);
  void worked(const ShadowKey& key, const Work& work);
  void record(Entry& entry, std::optional<SyncedShadow> synced);
  void refused(Entry& entry, const base::json::object& answer);
  void end(Entry& entry);
  void set_period();

  Parts parts_;
  SyncSettings settings_;
  std::map<ShadowKey, Exchange> exchanges_;
  std::vector<std::uint64_t> subscriptions_;
  std::uint64_t last_token_ = 0;
  EventLoop::TimerId period_timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
