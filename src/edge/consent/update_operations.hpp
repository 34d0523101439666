// SPDX-License-Identifier: Apache-2.0
// Room: consent. What components have to say before they are changed.
// IPC operations by which components have a say in deployments: SubscribeToComponentUpdates and
// DeferComponentUpdate (when they may be changed), SubscribeToValidateConfigurationUpdates and
// SendConfigurationValidityReport (whether they can use a configuration). The deployment asks, one
// question at a time; each question ends within its limit, and says meanwhile for whom it waits.
// Owned by the agent; main thread only. Holds nothing over a restart: the question is asked again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "edge/ipc/ipc_call.hpp"
#include "edge/loop/event_loop.hpp"

namespace andon::edge {

// A component may put an update off again and again, but not for ever.
constexpr std::chrono::hours kLongestDeferral{24};

class UpdateOperations {
 public:
  explicit UpdateOperations(EventLoop& loop) : loop_(loop) {}
  UpdateOperations(const UpdateOperations&) = delete;
  UpdateOperations& operator=(const UpdateOperations&) = delete;
  ~UpdateOperations() { give_up(); }

  void add_to(IpcOperations& operations);

  struct Refusal {
    std::string component;
    std::string reason;
  };
  // Asks those that listen what they make of the configuration they would get. `done` gets the
  // first that refuses, or that has not answered within `limit`; nothing where all accept.
  void validate(std::string deployment_id,
                const std::map<std::string, json::object>& configurations,
                std::chrono::milliseconds limit,
                std::function<void(const std::optional<Refusal>&)> done);

  enum class Restart { components, agent };
  // Tells those that listen of the update, and again as long as one defers; who says nothing within
  // `limit` agrees.
  void announce(std::string deployment_id, Restart restart, std::chrono::milliseconds limit,
                std::function<void()> done);
  // The question in hand is not wanted any more; its `done` is not called.
  void give_up();
  // Tells those that listen that it is over.
  void tell_updated(const std::string& deployment_id);

  // What the question in hand waits for; empty without one.
  [[nodiscard]] std::string waits_for() const;

 private:
  struct Listener {
    std::string component;
    std::weak_ptr<IpcStream> stream;
  };
  using Listeners = std::map<std::uint64_t, Listener>;

  [[nodiscard]] json::object listen(const IpcCall& call,
                                    const std::shared_ptr<Listeners>& listeners);
  [[nodiscard]] json::object defer(const IpcCall& call);
  [[nodiscard]] json::object take_report(const IpcCall& call);
  void ask_again();
  void drop(const std::string& component);
  void limit_reached();
  void settle();
  static bool listens(const Listeners& listeners, const std::string& component);
  static void send(const Listeners& listeners, const std::string& component, std::string_view type,
                   const json::object& event);
  static std::set<std::string> names(const Listeners& listeners);

  struct Question {
    std::string deployment_id;
    Restart restart = Restart::components;
    std::chrono::milliseconds limit{};
    LoopClock::Instant until;  // of this round
    LoopClock::Instant begun;
    std::set<std::string> unanswered;
    std::chrono::milliseconds recheck_after{0};  // the longest that somebody wants
    std::string deferred_by;                     // and why, for people
    bool deferring = false;
    std::function<void(const std::optional<Refusal>&)> on_validated;  // of a validation
    std::function<void()> on_agreed;                                  // of an announcement
  };

  EventLoop& loop_;
  std::shared_ptr<Listeners> update_listeners_ = std::make_shared<Listeners>();
  std::shared_ptr<Listeners> validation_listeners_ = std::make_shared<Listeners>();
  std::uint64_t next_id_ = 1;
  std::optional<Question> question_;
  EventLoop::TimerId timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
