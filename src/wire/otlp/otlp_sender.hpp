// SPDX-License-Identifier: Apache-2.0
// Sends log records and metrics to a collector (otlp_message.hpp): records are taken at once and
// sent in batches by a thread of its own, metrics are asked for when they are due. What is queued
// is bounded; what has no room, or is refused, is dropped and counted, and the log says when the
// collector cannot be reached and when it can again. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/time/time.hpp"
#include "wire/http/http_client.hpp"
#include "wire/otlp/otlp_message.hpp"

namespace andon::wire {

struct OtlpOptions {
  std::string url;          // "http://collector:4318": /v1/logs and /v1/metrics are below it
  Headers headers;          // of each request: "Authorization", say
  std::string ca_file;      // PEM; empty: the system's store
  OtlpAttributes resource;  // who speaks
  std::chrono::seconds metrics_every{60};
};

// Throws invalid_argument for what is no URL of http or https, or has a query.
void check_otlp_url(const std::string& url);
// A file with "Name: value" lines; blank lines, and those that begin with #, say nothing. Throws
// invalid_argument with the line.
[[nodiscard]] Headers read_otlp_headers(const std::string& text);

class OtlpSender {
 public:
  static constexpr std::size_t kMostQueued = 10'000;
  static constexpr std::size_t kMostQueuedBytes = 16U << 20U;

  explicit OtlpSender(OtlpOptions options);
  OtlpSender(const OtlpSender&) = delete;
  OtlpSender& operator=(const OtlpSender&) = delete;
  // Sends what is queued, for two seconds at most.
  ~OtlpSender();

  // Never waits.
  void send(OtlpLogRecord record);

  // From now on `page` (base::MetricsPage) is asked for, by the thread of this, and sent when it is
  // due; what could not be sent is not sent later.
  void start_metrics(std::function<std::string()> page);
  // Waits for one that is being asked for.
  void stop_metrics();

  struct Counts {
    std::uint64_t sent = 0;     // taken by the collector
    std::uint64_t dropped = 0;  // no room, or refused
    std::uint64_t metrics_sent = 0;
    std::uint64_t metrics_failed = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  using Steady = std::chrono::steady_clock;

  void run();
  // False where it is to be sent again.
  [[nodiscard]] bool send_logs();
  void send_metrics();
  [[nodiscard]] OtlpAnswer post(const char* path, std::string body);
  void say_outcome(const OtlpAnswer& answer);
  void pause_after(const OtlpAnswer& answer);

  const OtlpOptions options_;
  const base::Timestamp started_;
  HttpClient client_;  // of the thread alone, as are the next three
  std::chrono::seconds pause_{0};
  bool is_away_ = false;
  bool has_refused_ = false;
  std::atomic<bool> is_given_up_{false};  // ends the exchange that is under way

  std::mutex metrics_mutex_;  // guards metrics_; held while it is called
  std::function<std::string()> metrics_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<OtlpLogRecord> queue_;
  std::size_t queued_bytes_ = 0;
  Counts counts_;
  bool has_metrics_ = false;
  Steady::time_point metrics_due_;
  Steady::time_point not_before_;  // after a failure
  bool is_stopping_ = false;
  bool is_in_hurry_ = false;  // it ends: what is queued goes out now
  std::thread thread_;        // last: it uses all of the above
};

}  // namespace andon::wire
