// SPDX-License-Identifier: Apache-2.0
// Operations of the component IPC for tests: a table, and calls as components make them, without
// the socket. Thread of the test.
#pragma once

#include <memory>
#include <string>

#include "edge/ipc/ipc_call.hpp"
#include "edge/testing/device_fixture.hpp"
#include "edge/testing/recording_stream.hpp"

namespace andon::edge {

class IpcFixture : public DeviceFixture {
 protected:
  using DeviceFixture::DeviceFixture;

  // The answer, empty before there is one: the response as text, or "Type: message" of the error.
  std::shared_ptr<const std::string> begin(const std::string& operation,
                                           const json::object& request,
                                           const std::string& component = "app",
                                           std::shared_ptr<RecordingStream> stream = nullptr) {
    const auto answer = std::make_shared<std::string>();
    const IpcReply reply = [answer](const json::object& response, const std::exception_ptr& error) {
      try {
        if (error) std::rethrow_exception(error);
        *answer = base::to_text(response);
      } catch (const IpcError& wrong) {
        *answer = wrong.type() + ": " + wrong.message();
      } catch (const base::Error& wrong) {
        *answer = "Error: " + wrong.message();
      }
    };
    if (!stream) stream = std::make_shared<RecordingStream>();
    const IpcOperation& found = operations_.at(operation);
    const IpcCall call{component, operation, request, std::move(stream)};
    try {
      if (found.handle) {
        reply(found.handle(call), nullptr);
      } else {
        found.handle_later(call, reply);
      }
    } catch (const base::Error&) {
      reply({}, std::current_exception());
    }
    return answer;
  }

  IpcOperations operations_;
};

}  // namespace andon::edge
