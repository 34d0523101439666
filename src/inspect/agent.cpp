// SPDX-License-Identifier: Apache-2.0
#include "inspect/agent.hpp"

#include "base/error.hpp"

namespace andon::inspect {
namespace {

wire::IpcClientOptions options_with(const AgentCallbacks& callbacks) {
  wire::IpcClientOptions options = wire::ipc_options_from_environment();
  options.on_disconnect = callbacks.on_disconnect;
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

}  // namespace andon::inspect
