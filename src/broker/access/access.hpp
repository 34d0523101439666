// SPDX-License-Identifier: Apache-2.0
// Who may connect to the broker, and what each may publish, subscribe to and receive: the decisions
// behind the hooks of the plugin. Who connects is known by its credential (view/view.hpp); a
// thing connects with its own name as client id, or its name + "#" + anything. What each may then
// do is rights/topic_rights.hpp; things and clients use no more of the broker than their limits.
// Everything else is refused.
// This room knows no mosquitto and does no I/O. Not thread-safe: the broker has one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time/quota.hpp"
#include "broker/view/view.hpp"
#include "rights/topic_rights.hpp"

namespace andon::broker {

enum class Decision {
  allowed,
  refused,     // no right to it
  over_limit,  // a right to it, but too much, too often or too large
};

// What was refused since the start, for metrics.
struct Counters {
  std::uint64_t refused_connections = 0;
  std::uint64_t refused_publishes = 0;
  std::uint64_t refused_subscriptions = 0;
  std::uint64_t over_limit = 0;
  std::uint64_t ended_sessions = 0;
};

// A connection, named by whatever its caller knows it by (mosquitto's struct).
using ConnectionId = const void*;

class Access {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Consequences {
    // Client ids to be cut off: they may not be connected any more, or have subscriptions that they
    // may not have any more.
    std::vector<std::string> ended;
    // Things that are connected and may do something else than before.
    std::set<std::string> changed_things;
  };
  // Replaces the view, or changes it.
  [[nodiscard]] Consequences replace_view(std::span<const Change> changes);
  [[nodiscard]] Consequences apply(std::span<const Change> changes);
  [[nodiscard]] const View& view() const { return view_; }

  struct Connecting {
    std::string_view fingerprint;  // or credential of another kind; empty: it showed none
    std::string_view client_id;
    bool is_kept = false;  // the session outlives the connection
    std::string_view source_ip = {};
  };
  struct ConnectAnswer {
    Decision decision = Decision::refused;
    std::string name;    // of the principal, where it is allowed
    std::string reason;  // for the log, where it is not
  };
  [[nodiscard]] ConnectAnswer connect(ConnectionId connection, const Connecting& connecting,
                                      TimePoint now);
  // Nothing where the client id has been taken over by another connection, or was never let in.
  void disconnect(ConnectionId connection, std::string_view client_id, TimePoint now);

  struct Publishing {
    std::string_view topic;
    std::size_t payload_bytes = 0;
    bool is_retained = false;
  };
  [[nodiscard]] Decision publish(std::string_view client_id, const Publishing& message,
                                 TimePoint now);
  // `subscriptions` is how many the client has already.
  [[nodiscard]] Decision subscribe(std::string_view client_id, std::string_view filter,
                                   std::size_t subscriptions);
  void unsubscribe(std::string_view client_id, std::string_view filter);
  [[nodiscard]] Decision receive(std::string_view client_id, std::string_view topic);
  // The server has messages handed to one client, whatever that has subscribed to.
  [[nodiscard]] bool may_deliver(std::string_view client_id) const;

  // Forgets sessions that the broker has forgotten; call it now and then.
  void sweep(TimePoint now);

  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  // All client ids of one thing or client share its limits.
  struct Usage {
    base::Quota messages;
    base::Quota bytes;
    std::map<std::string, std::uint64_t, std::less<>> retained;  // topic -> bytes
    std::uint64_t retained_bytes = 0;
    std::size_t sessions = 0;
  };
  struct Session {
    ConnectionId connection = nullptr;  // null while it is kept without one
    std::string fingerprint;
    Principal principal;
    bool is_kept = false;
    TimePoint disconnected;
    std::string source_ip;
    rights::TopicRights rights;
    // That it has, as they were asked for; of things and clients, whose number is limited.
    std::set<std::string, std::less<>> filters;
  };
  using Sessions = std::unordered_map<std::string, Session, StringHash, std::equal_to<>>;

  [[nodiscard]] std::string objection(const Principal& principal, std::string_view client_id) const;
  [[nodiscard]] rights::TopicRights rights_of(const Session& session, std::string_view client_id);
  // Whose policies have changed.
  struct Touched {
    bool all = false;
    std::set<std::string, std::less<>> policies;
  };
  [[nodiscard]] Consequences settle_sessions(const Touched& touched);
  [[nodiscard]] bool is_touched(const Session& session, const Principal& principal,
                                const Touched& touched) const;
  [[nodiscard]] Decision keep_to_limits(Session& session, const Publishing& message, TimePoint now);
  [[nodiscard]] bool keeps_to_retained(Usage& usage, const Publishing& message) const;
  void forget(Sessions::iterator session);
  void make_room(TimePoint now);

  View view_;
  Sessions sessions_;
  std::unordered_map<std::string, Usage, StringHash, std::equal_to<>> usage_;  // see usage_key()
  Counters counters_;
  TimePoint swept_;
};

// How long the broker keeps a session without a connection; its configuration says the same.
inline constexpr std::chrono::hours kKeptSession{24};

}  // namespace andon::broker
