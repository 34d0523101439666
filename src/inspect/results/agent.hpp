// SPDX-License-Identifier: Apache-2.0
// What andon-inspect wants of the agent that started it: its configuration, and a way out for its
// results. One implementation over the component IPC; tests have their own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json/json.hpp"
#include "inspect/results/result_sink.hpp"
#include "wire/ipc/ipc_client.hpp"

namespace andon::inspect {

class Agent {
 public:
  Agent() = default;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  virtual ~Agent() = default;

  // The component's configuration as it is now. Throws unavailable, permission_denied.
  [[nodiscard]] virtual base::json::value configuration() = 0;
  // Returns when the agent has stored the message. Throws as configuration().
  virtual void publish(const std::string& topic, const std::string& message) = 0;
  virtual void report_running() = 0;
  [[nodiscard]] virtual bool is_connected() const = 0;
};

struct AgentCallbacks {
  // Called on the agent's thread.
  std::function<void()> on_configuration_change;
  std::function<void()> on_disconnect;
};

class IpcAgent final : public Agent {
 public:
  // Connects to the socket that the environment names.
  explicit IpcAgent(const AgentCallbacks& callbacks);

  [[nodiscard]] base::json::value configuration() override;
  void publish(const std::string& topic, const std::string& message) override;
  void report_running() override;
  [[nodiscard]] bool is_connected() const override;
  [[nodiscard]] wire::IpcClient& client() { return client_; }

 private:
  wire::IpcClient client_;
};

// To components of this device that listen to the topic. Throws as publish().
void publish_on_device(IpcAgent& agent, const std::string& topic,
                       const base::json::object& message);

// Publishes through the agent, to the topic of the moment.
class AgentSink final : public ResultSink {
 public:
  AgentSink(Agent& agent, std::function<std::string()> topic)
      : agent_(agent), topic_(std::move(topic)) {}
  void publish(const std::string& message) override { agent_.publish(topic_(), message); }

 private:
  Agent& agent_;
  std::function<std::string()> topic_;
};

}  // namespace andon::inspect
