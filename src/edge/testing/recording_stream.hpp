// SPDX-License-Identifier: Apache-2.0
// A client's stream for tests: keeps the events that are sent on it, and ends when the test says
// so.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class RecordingStream final : public IpcStream {
 public:
  void send_event(std::string_view type, const json::object& event) override {
    events.push_back(std::string(type) + ' ' + base::to_text(event));
  }
  void on_close(std::function<void()> handler) override { handlers_.push_back(std::move(handler)); }
  void close() {
    for (const auto& handler : std::exchange(handlers_, {})) handler();
  }

  std::vector<std::string> events;  // "Type {...}"

 private:
  std::vector<std::function<void()>> handlers_;
};

}  // namespace andon::edge
