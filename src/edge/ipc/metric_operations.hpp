// SPDX-License-Identifier: Apache-2.0
// PutComponentMetric: the newest value of each metric of a component, for `andon-edge status`. A
// component has a few; they end with the agent. Owned by the agent; main thread only.
#pragma once

#include <map>
#include <string>

#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class MetricOperations {
 public:
  MetricOperations() = default;
  MetricOperations(const MetricOperations&) = delete;
  MetricOperations& operator=(const MetricOperations&) = delete;
  ~MetricOperations() = default;

  void add_to(IpcOperations& operations);
  // {"speed": {"unit": "COUNT", "value": 3}}; empty for a component that has put none.
  [[nodiscard]] json::object of(const std::string& component) const;

  static constexpr std::size_t kMostOfComponent = 100;

 private:
  [[nodiscard]] json::object put(const IpcCall& call);

  std::map<std::string, json::object> metrics_;  // by component
};

}  // namespace andon::edge
