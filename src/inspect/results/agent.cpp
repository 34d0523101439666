// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/agent.hpp"

#include "base/error/error.hpp"

namespace andon::inspect {
namespace {

// A program that has no agent for so long ends; the next agent starts it.
constexpr std::chrono::hours kAgentReturnsWithin{1};

wire::IpcClientOptions options_with(const AgentCallbacks& callbacks) {
  wire::IpcClientOptions options = wire::ipc_options_from_environment();
  options.on_disconnect = callbacks.on_disconnect;
  options.return_within = kAgentReturnsWithin;
  return options;
}

}  // namespace

IpcAgent::IpcAgent(const AgentCallbacks& callbacks) : client_(options_with(callbacks)) {
  client_.subscribe_to_configuration_update(
      {}, [changed = callbacks.on_configuration_change](const std::vector<std::string>&) {
        changed();
      });
}

base::json::value IpcAgent::configuration() {
  try {
    return client_.get_configuration();
  } catch (const base::Error& error) {
    // A component without any configuration runs on its defaults.
    if (error.code() == base::ErrorCode::not_found) return base::json::object{};
    throw;
  }
}

void IpcAgent::publish(const std::string& topic, const std::string& message) {
  client_.publish_to_iot_core(topic, message, wire::IpcClient::Qos::at_least_once);
}

void IpcAgent::report_running() {
  client_.update_state(wire::IpcClient::ComponentState::running);
}

bool IpcAgent::is_connected() const {
  return client_.connected();
}

void publish_on_device(IpcAgent& agent, const std::string& topic,
                       const base::json::object& message) {
  agent.client().call(
      "PublishToTopic",
      {{"topic", topic}, {"publishMessage", {{"jsonMessage", {{"message", message}}}}}});
}

}  // namespace andon::inspect
