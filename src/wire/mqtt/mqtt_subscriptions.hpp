// SPDX-License-Identifier: Apache-2.0
// Which filters are wanted, kept over connections, and which of them the broker has on the present
// one, or in the session that the next one may resume. Pure; whoever owns it locks it. Internal to
// wire/mqtt.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/mqtt/mqtt_message.hpp"

namespace andon::wire {

class MqttSubscriptions {
 public:
  // Throws invalid_argument for what is no filter that can be subscribed to.
  static void check(const std::string& filter);

  // An id for all below.
  std::uint64_t add(std::string filter, Qos qos, MqttMessageHandler handler,
                    WhileAway away = WhileAway::lost);
  void remove(std::uint64_t id) { wanted_.erase(id); }
  [[nodiscard]] bool has(std::uint64_t id) const { return wanted_.contains(id); }
  // The broker has acknowledged its filter, with no less than its QoS.
  [[nodiscard]] bool is_acknowledged(std::uint64_t id) const;

  struct Change {
    std::string filter;
    Qos qos = Qos::at_most_once;
    std::uint32_t identifier = 0;  // comes back with each message that the filter let through
  };
  // What differs between the filters that are wanted and those that the broker has.
  struct Changes {
    std::vector<Change> subscribe;
    std::vector<std::string> unsubscribe;
  };
  // The second are taken for gone at once; the first are in place when they were sent().
  [[nodiscard]] Changes changes();
  void sent(const Change& change, int packet_id);
  // The filter, where the broker refused it.
  std::optional<std::string> acknowledge(int packet_id, bool is_granted);

  using Handler = std::shared_ptr<const MqttMessageHandler>;  // outlives a remove() while it runs
  // Who gets a message of this topic that came with these identifiers, with its id. In a resumed
  // session those that want nothing from before get what comes behind their acknowledgement.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, Handler>> handlers(
      std::string_view topic, std::span<const std::uint32_t> identifiers) const;

  // The broker has the session of the connection before, or does not.
  void connection_is_up(bool is_resumed);
  void connection_is_gone();

 private:
  struct Wanted {
    std::string filter;
    Qos qos;
    Handler handler;
    WhileAway away;
  };
  // A filter that the broker has, from the present connection on or from the session before.
  struct InPlace {
    Qos qos;
    std::optional<int> packet_id;  // on the present connection
    std::uint32_t identifier;
    bool is_acknowledged;     // with that QoS
    bool is_present = false;  // acknowledged on the present connection, with any
  };
  [[nodiscard]] std::uint32_t identifier_of(const std::string& filter);

  std::map<std::uint64_t, Wanted> wanted_;  // by id
  std::map<std::string, InPlace, std::less<>> in_place_;
  bool is_resumed_ = false;
  std::uint64_t next_id_ = 1;
  std::uint32_t next_identifier_ = 1;
};

}  // namespace andon::wire
