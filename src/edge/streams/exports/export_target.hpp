// SPDX-License-Identifier: Apache-2.0
// To where messages are exported: one object for each export, used on one background thread at a
// time, where it may wait. What it needs of the device is handed to it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "edge/streams/store/message_stream.hpp"
#include "fleet/messages/data_plane.hpp"
#include "wire/aws/sigv4.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::edge {

struct ExportBatch {
  std::string stream;
  std::vector<StreamMessage> messages;  // at least one
};

struct ExportOutcome {
  enum class Kind {
    sent,
    refused,  // it would be refused again: goes on behind what was refused
    retry,
  };
  Kind kind = Kind::sent;
  std::size_t done = 0;  // of the messages, from the first; with `refused` and `retry` those before
  std::string error;
  std::size_t skipped = 0;  // with `refused`: behind those
};

class ExportTarget {
 public:
  ExportTarget() = default;
  ExportTarget(const ExportTarget&) = delete;
  ExportTarget& operator=(const ExportTarget&) = delete;
  virtual ~ExportTarget() = default;

  // Does not throw base::Error.
  virtual ExportOutcome send(const ExportBatch& batch, const std::atomic<bool>& cancelled) = 0;
};

// Temporary credentials, fetched when they are wanted and kept until shortly before their end. Any
// thread; waits.
class ExportCredentials {
 public:
  explicit ExportCredentials(std::function<fleet::TemporaryCredentials()> fetch)
      : fetch_(std::move(fetch)) {}

  [[nodiscard]] wire::Credentials get(base::Timestamp now);
  void drop();  // they were refused

 private:
  std::function<fleet::TemporaryCredentials()> fetch_;
  std::mutex mutex_;
  fleet::TemporaryCredentials kept_;  // guarded by mutex_
};

// What all exports of a device share; outlives them.
struct ExportWorld {
  std::string thing_name;
  std::string s3_endpoint;  // https://host:port of the server that the device is enrolled with
  std::string region;
  std::string ca_file;
  std::int64_t part_bytes = 5'242'880;
  wire::MqttOptions broker;  // with the device's CA and certificate, for mqtts
  // Publishes over the device's own connection, and waits for the outcome.
  std::function<wire::PublishOutcome(const wire::MqttMessage&, wire::Qos, bool retain,
                                     const std::atomic<bool>& cancelled)>
      publish;
  // Opens a file with the rights of those who may name it.
  std::function<base::UniqueFd(const base::fs::path&)> open_input;
  std::shared_ptr<ExportCredentials> credentials;
  // Waits until so many bytes may be sent; at once where it is cancelled.
  std::function<void(std::uint64_t bytes, const std::atomic<bool>& cancelled)> await_budget;
  // Why those who wait there do, for people; empty where nobody does.
  std::function<std::string()> waits_for_budget;
};

// `text` with {stream} and {thing} replaced.
[[nodiscard]] std::string with_places(std::string text, const std::string& stream,
                                      const std::string& thing);
void replace_place(std::string& text, std::string_view place, const std::string& value);

// `state_file`: where the target keeps what it has begun; empty for a stream in memory.
[[nodiscard]] std::unique_ptr<ExportTarget> make_export_target(const ExportConfig& config,
                                                               const ExportWorld& world,
                                                               const base::fs::path& state_file);

}  // namespace andon::edge
