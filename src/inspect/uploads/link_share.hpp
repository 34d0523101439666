// SPDX-License-Identifier: Apache-2.0
// Asks the agent whether pictures may go over the device's link now (ReserveLink, docs/ipc.md).
// Belongs to the uploader's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "wire/ipc/ipc_client.hpp"

namespace andon::inspect {

class LinkShare {
 public:
  // The client outlives it.
  explicit LinkShare(wire::IpcClient& agent) : agent_(agent) {}

  // 0: they may, else when to ask again. An agent that has no such operation never keeps them back.
  // Throws base::Error where the agent does not answer.
  [[nodiscard]] std::chrono::milliseconds reserve(std::uint64_t bytes);

 private:
  wire::IpcClient& agent_;
  bool has_budget_ = true;
  std::string why_;  // they wait; logged when it changes
};

}  // namespace andon::inspect
