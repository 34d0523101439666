// SPDX-License-Identifier: Apache-2.0
// What a component uses to speak with the agent that started it: Greengrass component IPC over a
// Unix socket. Calls wait for their answer and may come from any thread, also from a handler;
// handlers run one at a time on a thread of the client. Owned by the component's main.
// A component outlives its agent: where `return_within` says so the client looks for the next one,
// subscribes again, and calls wait for it meanwhile; one that broke off is made again, so that the
// agent may get it twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::wire {

namespace json = base::json;

struct IpcClientOptions {
  std::string socket_path;
  std::string auth_token;
  std::chrono::milliseconds timeout{10'000};  // of connecting and of each call
  // For so long after a connection has broken off the agent is looked for; 0: not at all.
  std::chrono::milliseconds return_within{0};
  // Once, on a thread of the client, when it is given up; may be empty.
  std::function<void()> on_disconnect;
};

// From AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT and SVCUID, which the agent sets.
// Throws failed_precondition naming the one that is missing.
[[nodiscard]] IpcClientOptions ipc_options_from_environment();

class IpcClient {
 public:
  // Connects and authenticates. Throws unavailable, unauthenticated or deadline_exceeded.
  explicit IpcClient(const IpcClientOptions& options);
  IpcClient(const IpcClient&) = delete;
  IpcClient& operator=(const IpcClient&) = delete;
  ~IpcClient();  // ends the subscriptions; no handler runs after it

  // One request and its response, as JSON; `operation` without "aws.greengrass#". Throws what the
  // agent answered (UnauthorizedError -> permission_denied, ResourceNotFoundError -> not_found,
  // ServiceError -> unavailable, ...), deadline_exceeded, or unavailable where the agent is gone.
  json::object call(std::string_view operation, const json::object& request);

  using SubscriptionId = std::int32_t;
  using EventHandler = std::function<void(const json::object& event)>;
  // Returns when the agent has accepted it; events before that are not lost.
  SubscriptionId subscribe(std::string_view operation, const json::object& request,
                           EventHandler on_event);
  // Its handler is not called again, except for a call that is running now.
  void unsubscribe(SubscriptionId subscription);

  // The object at `key_path` of the component's own configuration. Any other value comes as the
  // only member of an object, under the last key. Throws not_found.
  [[nodiscard]] json::object get_configuration(const std::vector<std::string>& key_path = {});
  // `key_path` of the event is what changed, below the one that is watched.
  SubscriptionId subscribe_to_configuration_update(
      const std::vector<std::string>& key_path,
      std::function<void(const std::vector<std::string>& changed)> on_change);

  enum class Qos { at_most_once, at_least_once };
  // Returns when the agent has taken the message over (for at_least_once: stored it).
  void publish_to_iot_core(const std::string& topic, std::string_view payload, Qos qos);
  SubscriptionId subscribe_to_iot_core(
      const std::string& topic_filter, Qos qos,
      std::function<void(const std::string& topic, const std::string& payload)> on_message);

  enum class ComponentState { running, errored };
  void update_state(ComponentState state);

  // False once the agent is given up.
  [[nodiscard]] bool connected() const;

 private:
  class Connection;
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace andon::wire
