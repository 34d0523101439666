// SPDX-License-Identifier: Apache-2.0
// IPC operations on configuration: GetConfiguration, UpdateConfiguration,
// SubscribeToConfigurationUpdate. Owned by the agent; main thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "edge/configuration/configuration_store.hpp"
#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class ConfigurationOperations {
 public:
  explicit ConfigurationOperations(ConfigurationStore& store);
  ConfigurationOperations(const ConfigurationOperations&) = delete;
  ConfigurationOperations& operator=(const ConfigurationOperations&) = delete;
  ~ConfigurationOperations() = default;

  void add_to(IpcOperations& operations);

 private:
  using KeyPath = std::vector<std::string>;
  struct Subscription {
    std::string component;
    KeyPath key_path;
    std::weak_ptr<IpcStream> stream;
  };

  [[nodiscard]] json::object get(const IpcCall& call) const;
  void update(const IpcCall& call, IpcReply reply);
  [[nodiscard]] json::object subscribe(const IpcCall& call);
  void tell(const std::string& component, const std::vector<KeyPath>& changed);

  ConfigurationStore& store_;
  std::shared_ptr<std::map<std::uint64_t, Subscription>> subscriptions_ =
      std::make_shared<std::map<std::uint64_t, Subscription>>();
  std::uint64_t next_id_ = 1;
};

}  // namespace andon::edge
