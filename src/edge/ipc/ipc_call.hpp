// SPDX-License-Identifier: Apache-2.0
// What an operation of the component IPC sees of the wire: who calls, with what, and the stream
// that it may keep for events. Main thread only.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::edge {

namespace json = base::json;

// An error of the service model: the client gets it as that type.
class IpcError : public base::Error {
 public:
  IpcError(std::string type, const std::string& message, json::object fields = {})
      : base::Error(base::ErrorCode::invalid_argument, message),
        type_(std::move(type)),
        fields_(std::move(fields)) {}

  [[nodiscard]] const std::string& type() const { return type_; }  // "UnauthorizedError"
  [[nodiscard]] const json::object& fields() const { return fields_; }

 private:
  std::string type_;
  json::object fields_;
};

[[nodiscard]] inline IpcError invalid_arguments(const std::string& message) {
  return {"InvalidArgumentsError", message};
}
[[nodiscard]] inline IpcError resource_not_found(const std::string& type, const std::string& name,
                                                 const std::string& message) {
  return {"ResourceNotFoundError", message, {{"resourceType", type}, {"resourceName", name}}};
}

// One stream of a connection. Lives as long as somebody holds it; sends nothing once closed.
class IpcStream {
 public:
  IpcStream() = default;
  IpcStream(const IpcStream&) = delete;
  IpcStream& operator=(const IpcStream&) = delete;
  virtual ~IpcStream() = default;

  // `type` is the shape's name: "IoTCoreMessage".
  virtual void send_event(std::string_view type, const json::object& event) = 0;
  // Called once, when the client or the connection ends it.
  virtual void on_close(std::function<void()> handler) = 0;
};

struct IpcCall {
  std::string component;  // who calls
  std::string operation;  // "PublishToTopic", without its namespace
  json::object request;
  std::shared_ptr<IpcStream> stream;
};

enum class StreamAfterAnswer { closes, stays_open };

// Ends a call: with the response, or with an error where there is one. Called once, on the main
// thread; may outlive the client.
using IpcReply = std::function<void(const json::object& response, std::exception_ptr error)>;

struct IpcOperation {
  StreamAfterAnswer after = StreamAfterAnswer::closes;
  // The response. Throws IpcError; any other base::Error reaches the client as ServiceError, or as
  // InvalidArgumentsError where its code is invalid_argument.
  std::function<json::object(const IpcCall&)> handle = {};
  // In its place for what must wait before it can answer (for the disk). Throws the same.
  std::function<void(const IpcCall&, IpcReply)> handle_later = {};
};

// Operations by name; one table, filled by the parts of the agent.
using IpcOperations = std::map<std::string, IpcOperation, std::less<>>;

}  // namespace andon::edge
