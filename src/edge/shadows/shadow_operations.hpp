// SPDX-License-Identifier: Apache-2.0
// Room: shadows. What components keep as shadows of things on the device itself
// (fleet/shadows/shadow.hpp).
// IPC operations of aws.greengrass.ShadowManager: GetThingShadow, UpdateThingShadow,
// DeleteThingShadow, ListNamedShadowsForThing. What they change is in config.db before they answer,
// and told on the shadow's topics to the components that listen there (SubscribeToTopic). Owned by
// the agent; main thread only, the disk is the state writer's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time/time.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/ipc_call.hpp"
#include "edge/state/state_writer.hpp"
#include "fleet/shadows/shadow.hpp"

namespace andon::edge {

namespace json = base::json;

inline constexpr std::string_view kShadowManager = "aws.greengrass.ShadowManager";

class ShadowOperations {
 public:
  struct Parts {
    const AccessPolicy& policy;
    StateWriter& writer;
    const base::Clock& clock;
    // To the components of this device.
    std::function<void(const std::string& topic, const json::object& message)> publish;
    // A component has changed it; may be empty.
    std::function<void(const std::string& thing, const std::string& name)> changed = {};
  };
  explicit ShadowOperations(Parts parts) : parts_(std::move(parts)) {}
  ShadowOperations(const ShadowOperations&) = delete;
  ShadowOperations& operator=(const ShadowOperations&) = delete;
  ~ShadowOperations() { *alive_ = false; }

  void add_to(IpcOperations& operations);

  static constexpr std::int64_t kMostShadows = 1'000;  // of a device

 private:
  struct Named {
    std::string thing;
    std::string name;  // empty: the classic one
  };
  struct Told {  // on the shadow's topics, and to who asked
    json::object answer;
    std::vector<std::pair<std::string, json::object>> messages;
    bool is_changed = false;
  };
  using Work = std::function<Told(store::Transaction&)>;

  [[nodiscard]] Named require(const IpcCall& call) const;
  void get(const IpcCall& call, IpcReply reply);
  void update(const IpcCall& call, IpcReply reply);
  void remove(const IpcCall& call, IpcReply reply);
  void list(const IpcCall& call, IpcReply reply);
  void run(const Named& shadow, const char* verb, Work work, IpcReply reply);
  [[nodiscard]] std::int64_t now_s() const;

  Parts parts_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
