// SPDX-License-Identifier: Apache-2.0
// ReserveLink: what a component sends by itself goes within the device's budget of the link, too,
// where it asks before. Of andon: Greengrass has no such operation. Owned by the agent; main thread
// only.
#pragma once

#include <cstdint>

#include "edge/budget/link_budget.hpp"
#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class LinkOperations {
 public:
  // The budget outlives it.
  explicit LinkOperations(LinkBudget& budget) : budget_(budget) {}
  LinkOperations(const LinkOperations&) = delete;
  LinkOperations& operator=(const LinkOperations&) = delete;
  ~LinkOperations() = default;

  void add_to(IpcOperations& operations);

  static constexpr std::int64_t kMostBytes = 1 << 30;

 private:
  [[nodiscard]] json::object reserve(const IpcCall& call);

  LinkBudget& budget_;
};

}  // namespace andon::edge
