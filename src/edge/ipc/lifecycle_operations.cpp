// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/lifecycle_operations.hpp"
#include "base/json/json_reader.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kCli = "aws.greengrass.Cli";
constexpr std::string_view kLifecycle = "aws.greengrass.ipc.lifecycle";

}  // namespace

void LifecycleOperations::add_to(IpcOperations& operations) {
  operations["UpdateState"] = {StreamAfterAnswer::closes,
                               [this](const IpcCall& call) { return update_state(call); }};
  operations["ListComponents"] = {StreamAfterAnswer::closes,
                                  [this](const IpcCall& call) { return list(call); }};
  operations["GetComponentDetails"] = {StreamAfterAnswer::closes,
                                       [this](const IpcCall& call) { return details(call); }};
  operations["RestartComponent"] = {StreamAfterAnswer::closes,
                                    [this](const IpcCall& call) { return restart(call); }};
  for (const char* const name : {"PauseComponent", "ResumeComponent"}) {
    operations[name] = {StreamAfterAnswer::closes,
                        [this](const IpcCall& call) { return pause_or_resume(call); }};
  }
  operations["StopComponent"] = {StreamAfterAnswer::closes,
                                 [this](const IpcCall& call) { return stop(call); }};
  operations["CreateDebugPassword"] = {StreamAfterAnswer::closes,
                                       [](const IpcCall&) -> json::object {
                                         throw IpcError("ServiceError",
                                                        "this device has no local debug console, "
                                                        "so there is no password for it");
                                       }};
}

json::object LifecycleOperations::update_state(const IpcCall& call) {
  const std::string state = base::JsonReader(call.request, "UpdateState request").string("state");
  Component* component = supervisor_.find(call.component);
  if (component == nullptr) {
    throw resource_not_found("component", call.component,
                             "component " + call.component + " does not run under this agent");
  }
  if (state == "RUNNING") {
    component->report_running();
  } else if (state == "ERRORED") {
    component->report_error();
  } else {
    throw invalid_arguments("state must be RUNNING or ERRORED");
  }
  return {};
}

json::object LifecycleOperations::describe(const Component& component) const {
  const json::object* configuration = configurations_.find(component.spec().name);
  return {{"componentName", component.spec().name},
          {"version", component.spec().version},
          {"state", to_string(component.state())},
          {"configuration", configuration == nullptr ? json::object{} : *configuration}};
}

json::object LifecycleOperations::list(const IpcCall& call) const {
  policy_.require(call.component, {kCli, "aws.greengrass#ListComponents", "*"});
  json::array components;
  for (const Component* component : supervisor_.components()) {
    components.push_back(describe(*component));
  }
  return {{"components", std::move(components)}};
}

std::string LifecycleOperations::require_named(const IpcCall& call) const {
  const std::string name =
      base::JsonReader(call.request, call.operation + " request").string("componentName");
  const std::string operation = "aws.greengrass#" + call.operation;
  policy_.require(call.component, {kCli, operation, name});
  if (supervisor_.find(name) == nullptr) {
    throw resource_not_found("component", name, "component " + name + " is not on this device");
  }
  return name;
}

json::object LifecycleOperations::details(const IpcCall& call) const {
  const Supervisor& supervisor = supervisor_;
  return {{"componentDetails", describe(*supervisor.find(require_named(call)))}};
}

json::object LifecycleOperations::restart(const IpcCall& call) {
  supervisor_.restart(require_named(call));
  return {{"restartStatus", "SUCCEEDED"}};
}

json::object LifecycleOperations::pause_or_resume(const IpcCall& call) {
  const std::string name =
      base::JsonReader(call.request, call.operation + " request").string("componentName");
  const std::string operation = "aws.greengrass#" + call.operation;
  policy_.require(call.component, {kLifecycle, operation, name});
  Component* const component = supervisor_.find(name);
  if (component == nullptr) {
    throw resource_not_found("component", name, "component " + name + " is not on this device");
  }
  const bool done = call.operation == "PauseComponent" ? component->pause() : component->resume();
  if (!done) throw invalid_arguments("component " + name + " is not RUNNING");
  return {};
}

json::object LifecycleOperations::stop(const IpcCall& call) {
  if (supervisor_.hold(require_named(call))) return {{"stopStatus", "SUCCEEDED"}};
  return {{"stopStatus", "FAILED"},
          {"message", "a deployment is changing components; try again when it is over"}};
}

}  // namespace andon::edge
