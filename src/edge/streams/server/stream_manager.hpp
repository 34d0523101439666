// SPDX-License-Identifier: Apache-2.0
// The stream manager as the agent has it: there while the component aws.greengrass.StreamManager is
// in the set that the device runs, and nothing at all else, neither a thread nor a socket. Owned by
// the agent; main thread only, which it never keeps waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "edge/budget/link_budget.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_note.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "edge/streams/server/stream_settings.hpp"
#include "fleet/messages/data_plane.hpp"

namespace andon::edge {

class StreamServer;
struct ExportWorld;

class StreamManager {
 public:
  struct Parts {
    EventLoop& loop;
    MqttLink& link;
    LinkBudget& budget;
    const DeviceConfig& device;
    const Layout& layout;
    std::string
        file_user;  // whose files components may have uploaded, as resolve_run_as() reads it
    // The component's configuration; null where it is not in the set.
    std::function<const base::json::object*()> configuration;
    // Whether it is the token of a component that runs.
    std::function<bool(const std::string& token)> authenticate;
    std::function<fleet::TemporaryCredentials()> fetch_credentials;  // waits; on any thread
    // Throws base::Error where aws.greengrass.StreamManager may not publish to the topic.
    std::function<void(const std::string& topic)> require_topic;
    TakeNote note;
  };

  explicit StreamManager(Parts parts);
  StreamManager(const StreamManager&) = delete;
  StreamManager& operator=(const StreamManager&) = delete;
  ~StreamManager();

  // The set or a configuration may have changed: starts it, ends it, or starts it anew.
  void refresh();
  // Where it listens; nothing where it is not wanted or cannot.
  [[nodiscard]] std::optional<std::uint16_t> port();

 private:
  void start(const StreamSettings& settings);
  void end();
  void try_again(const std::string& why);
  [[nodiscard]] ExportWorld make_world(const StreamSettings& settings);

  Parts parts_;
  std::optional<StreamSettings> wanted_;
  std::unique_ptr<StreamServer> server_;
  std::uint16_t port_ = 0;
  std::uint64_t generation_ = 0;  // of the server
  bool is_ending_ = false;        // one before it is
  EventLoop::TimerId retry_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Worker> worker_;  // last: it ends before what its work uses
};

}  // namespace andon::edge
