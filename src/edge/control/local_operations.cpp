// SPDX-License-Identifier: Apache-2.0
#include "edge/control/local_operations.hpp"

#include <utility>

#include "base/json/json_reader.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kCli = "aws.greengrass.Cli";

// What is not there gets the error type that clients of Greengrass know.
std::exception_ptr for_client(const std::exception_ptr& error, const std::string& id) {
  if (!error) return nullptr;
  try {
    std::rethrow_exception(error);
  } catch (const base::Error& wrong) {
    if (wrong.code() == base::ErrorCode::not_found) {
      return std::make_exception_ptr(resource_not_found("LocalDeployment", id, wrong.message()));
    }
    return error;
  }
}

std::string deployment_id(const IpcCall& call) {
  return base::JsonReader(call.request, call.operation + " request").string("deploymentId");
}

}  // namespace

void LocalOperations::require(const IpcCall& call, std::string_view resource) const {
  const std::string operation = "aws.greengrass#" + call.operation;
  policy_.require(call.component, {kCli, operation, resource});
}

void LocalOperations::add_to(IpcOperations& operations) {
  const auto add = [&](const char* name, std::function<void(const IpcCall&, IpcReply)> handle) {
    operations[name] = {.after = StreamAfterAnswer::closes, .handle_later = std::move(handle)};
  };
  add("CreateLocalDeployment", [this](const IpcCall& call, IpcReply reply) {
    require(call, "*");
    deployments_.create(
        call.request, [reply = std::move(reply)](const std::string& id, std::exception_ptr error) {
          reply({{"deploymentId", id}}, std::move(error));
        });
  });
  add("ListLocalDeployments", [this](const IpcCall& call, IpcReply reply) {
    require(call, "*");
    deployments_.list(std::move(reply));
  });
  add("GetLocalDeploymentStatus", [this](const IpcCall& call, const IpcReply& reply) {
    const std::string id = deployment_id(call);
    require(call, id);
    deployments_.find(id, [reply, id](const json::object& found, const std::exception_ptr& error) {
      reply(found, for_client(error, id));
    });
  });
  add("CancelLocalDeployment", [this](const IpcCall& call, const IpcReply& reply) {
    const std::string id = deployment_id(call);
    require(call, id);
    deployments_.cancel(id, [reply, id](const json::object& told, const std::exception_ptr& error) {
      reply(told, for_client(error, id));
    });
  });
}

}  // namespace andon::edge
