// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/log_destination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/s3_uri.hpp"
#include "base/time/time.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/streams/exports/mqtt_export.hpp"
#include "edge/streams/exports/object_client.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

// With what JSON adds to it, and each line's time, well below what the data plane takes.
constexpr std::size_t kMessageBytes = 24U << 10U;
constexpr std::size_t kObjectBytes = 1U << 20U;

class LogGroup final : public LogDestination {
 public:
  LogGroup(const ExportWorld& world, const DeviceConfig& device, const Layout& layout)
      : world_(world), server_(device, layout) {}

  std::size_t batch_bytes() const override { return kMessageBytes; }

  void put(LogBatch batch, const std::atomic<bool>& cancelled) override {
    const auto lines = std::exchange(batch.lines, {});
    for (std::size_t begin = 0; begin < lines.size(); begin += fleet::kMostLogLines) {
      const std::size_t end = std::min(begin + fleet::kMostLogLines, lines.size());
      const fleet::DeviceLogs logs{batch.component,
                                   {lines.begin() + static_cast<std::ptrdiff_t>(begin),
                                    lines.begin() + static_cast<std::ptrdiff_t>(end)}};
      const std::string body = base::to_text(to_json(logs));
      world_.await_budget(body.size(), cancelled);
      if (cancelled) return;
      server_.put_logs(body);
    }
  }

 private:
  const ExportWorld& world_;
  DataPlane server_;
};

// What an export of streams has sent, or the reason why not.
void require_sent(const ExportOutcome& outcome, const std::atomic<bool>& cancelled) {
  if (outcome.kind == ExportOutcome::Kind::sent || cancelled) return;
  throw Error(outcome.kind == ExportOutcome::Kind::refused ? ErrorCode::failed_precondition
                                                           : ErrorCode::unavailable,
              outcome.error);
}

class LogTopic final : public LogDestination {
 public:
  LogTopic(const std::string& uri, const ExportWorld& world) : export_({uri, false}, world) {}

  std::size_t batch_bytes() const override { return kMessageBytes; }

  void put(LogBatch batch, const std::atomic<bool>& cancelled) override {
    const fleet::DeviceLogs logs{batch.component, std::move(batch.lines)};
    const auto sequence = static_cast<std::int64_t>(batch.begin.offset);
    require_sent(
        export_.send({logs.component, {{sequence, 0, base::to_text(to_json(logs))}}}, cancelled),
        cancelled);
  }

 private:
  MqttExport export_;
};

class LogBucket final : public LogDestination {
 public:
  LogBucket(base::S3Uri place, const ExportWorld& world)
      : world_(world),
        store_(world),
        bucket_(std::move(place.bucket)),
        prefix_(std::move(place.key)) {}

  std::size_t batch_bytes() const override { return kObjectBytes; }

  void put(LogBatch batch, const std::atomic<bool>& cancelled) override {
    ObjectClient::Request request{.method = "PUT",
                                  .bucket = bucket_,
                                  .key = log_object_key(prefix_, world_.thing_name, batch)};
    for (const fleet::DeviceLogLine& line : batch.lines) request.body += line.text + '\n';
    request.headers.set("Content-Type", "text/plain; charset=utf-8");
    world_.await_budget(request.body.size(), cancelled);
    if (cancelled) return;
    static_cast<void>(store_.call(std::move(request), cancelled));
  }

 private:
  const ExportWorld& world_;
  ObjectClient store_;
  std::string bucket_;
  std::string prefix_;
};

}  // namespace

std::string log_object_key(std::string_view prefix, std::string_view thing, const LogBatch& batch) {
  const base::Timestamp begun = base::from_epoch_millis(batch.begin.born_ns / 1'000'000);
  // "2026-11-30T10:40:00.123Z"
  std::string time = base::to_iso8601(begun);
  std::string key(prefix);
  if (!key.empty() && !key.ends_with('/')) key += '/';
  key += fmt::format("{}/{}/{}/{}/{}/", thing, batch.component, time.substr(0, 4),
                     time.substr(5, 2), time.substr(8, 2));
  for (const char character : time.substr(11)) {
    if (character != ':' && character != 'Z') key += character;
  }
  if (batch.begin.born_ns == 0) key += fmt::format("-{}", batch.begin.inode);
  return key + fmt::format("-{:013}.log", batch.begin.offset);
}

std::unique_ptr<LogDestination> make_log_destination(const std::string& uri,
                                                     const ExportWorld& world,
                                                     const DeviceConfig& device,
                                                     const Layout& layout) {
  if (uri.empty()) return std::make_unique<LogGroup>(world, device, layout);
  if (auto place = base::parse_s3_uri(uri)) {
    return std::make_unique<LogBucket>(*std::move(place), world);
  }
  return std::make_unique<LogTopic>(uri, world);
}

}  // namespace andon::edge
