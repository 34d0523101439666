// SPDX-License-Identifier: Apache-2.0
// Where a component's lines go: its log group on the server, objects of a bucket there, or a topic.
// What was put once may be put again after a crash; of a bucket the same object is then written
// anew. Used by one thread, which waits.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "edge/logs/log_reader.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "edge/streams/exports/export_target.hpp"
#include "fleet/messages/device_logs.hpp"

namespace andon::edge {

struct LogBatch {
  std::string component;
  std::vector<fleet::DeviceLogLine> lines;  // at least one
  LogPlace begin;                           // where the first of them was read
};

class LogDestination {
 public:
  LogDestination() = default;
  LogDestination(const LogDestination&) = delete;
  LogDestination& operator=(const LogDestination&) = delete;
  virtual ~LogDestination() = default;

  // How much of a log makes one batch.
  [[nodiscard]] virtual std::size_t batch_bytes() const = 0;
  // Comes back when they are stored, or when it was cancelled. Throws base::Error where they are
  // not.
  virtual void put(LogBatch batch, const std::atomic<bool>& cancelled) = 0;
};

// `uri` is LogRule::destination, well-formed. `world` and what it refers to outlive it; a log group
// is written to over `device`'s data plane.
[[nodiscard]] std::unique_ptr<LogDestination> make_log_destination(const std::string& uri,
                                                                   const ExportWorld& world,
                                                                   const DeviceConfig& device,
                                                                   const Layout& layout);

// s3://BUCKET/PREFIX/THING/COMPONENT/2026/11/30/104000.123-0000000012345.log: when the file that
// they stand in was begun, and where in it; what was put before has the smaller key.
[[nodiscard]] std::string log_object_key(std::string_view prefix, std::string_view thing,
                                         const LogBatch& batch);

}  // namespace andon::edge
