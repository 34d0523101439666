// SPDX-License-Identifier: Apache-2.0
// Brings what components write to log groups, buckets and topics, as the configuration of
// aws.greengrass.LogManager says: nothing at all, neither a thread nor a timer, while that
// component is not in the set. What was uploaded is noted in <root>/config/log-places.json after
// the server has stored it: a line is never left out because of a crash, and one batch may come
// twice. Owned by the agent; main thread only, which it never keeps waiting.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "edge/budget/link_budget.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/logs/log_reader.hpp"
#include "edge/logs/log_settings.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_note.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "edge/streams/exports/export_target.hpp"

namespace andon::edge {

class LogUploader {
 public:
  struct Parts {
    EventLoop& loop;
    MqttLink& link;
    LinkBudget& budget;
    const DeviceConfig& device;
    const Layout& layout;
    std::string file_user;  // as open_input_file() has it
    // The component's configuration; null where it is not in the set.
    std::function<const base::json::object*()> configuration;
    // How far the device's clock is ahead of the server's.
    std::function<std::chrono::milliseconds()> ahead;
    std::function<fleet::TemporaryCredentials()> fetch_credentials;  // waits; on any thread
    TakeNote note;
  };

  explicit LogUploader(Parts parts);
  LogUploader(const LogUploader&) = delete;
  LogUploader& operator=(const LogUploader&) = delete;
  ~LogUploader();

  // The set or a configuration may have changed.
  void refresh();

 private:
  void run_after(std::chrono::milliseconds wait);
  void run();
  [[nodiscard]] ExportWorld make_world();

  Parts parts_;
  std::shared_ptr<ExportCredentials> credentials_;  // shared with what runs
  std::optional<LogSettings> wanted_;
  std::string problems_;
  EventLoop::TimerId timer_ = 0;
  bool is_running_ = false;
  std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Worker> worker_;  // last: it ends before what its work uses
};

}  // namespace andon::edge
