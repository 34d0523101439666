// SPDX-License-Identifier: Apache-2.0
// IPC operations of local publish and subscribe between components of this device. Owned by the
// agent; main thread only. A message reaches who is subscribed at that moment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class PubsubOperations {
 public:
  explicit PubsubOperations(const AccessPolicy& policy) : policy_(policy) {}
  PubsubOperations(const PubsubOperations&) = delete;
  PubsubOperations& operator=(const PubsubOperations&) = delete;
  ~PubsubOperations() = default;

  void add_to(IpcOperations& operations);
  // From the agent itself to who listens.
  void publish_json(const std::string& topic, const json::object& message);
  // The same as a binary message, from what components know as `from`.
  void publish_bytes(const std::string& topic, std::string_view payload, const std::string& from);

  // The agent itself listens: to what comes from others than `but_from`, JSON as its text.
  using Listener = std::function<void(const std::string& topic, std::string payload)>;
  std::uint64_t listen(std::string filter, std::string but_from, Listener listener);
  void stop_listening(std::uint64_t id) { listeners_.erase(id); }

 private:
  struct Subscription {
    std::string component;
    std::string filter;
    bool from_others_only = false;
    std::weak_ptr<IpcStream> stream;
  };

  [[nodiscard]] json::object publish(const IpcCall& call);
  void deliver(const std::string& topic, const json::object& event, const std::string& from);
  [[nodiscard]] json::object subscribe(const IpcCall& call);

  struct OwnListener {
    std::string filter;
    std::string but_from;
    Listener listener;
  };

  const AccessPolicy& policy_;
  std::map<std::uint64_t, OwnListener> listeners_;
  std::shared_ptr<std::map<std::uint64_t, Subscription>> subscriptions_ =
      std::make_shared<std::map<std::uint64_t, Subscription>>();
  std::uint64_t next_id_ = 1;
};

}  // namespace andon::edge
