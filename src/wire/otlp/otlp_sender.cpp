// SPDX-License-Identifier: Apache-2.0
#include "wire/otlp/otlp_sender.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/split.hpp"
#include "wire/http/url.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::seconds;

constexpr std::size_t kMostBatch = 512;
constexpr std::size_t kMostBatchBytes = 2U << 20U;
constexpr std::size_t kMostAnswer = 64U << 10U;
constexpr std::chrono::milliseconds kGather{500};  // so that records share a request
constexpr std::chrono::milliseconds kDeadline{10'000};
constexpr seconds kLongestPause{10};
constexpr seconds kFarewell{2};
constexpr std::size_t kMostHeaders = 32;

std::size_t size_of(const OtlpLogRecord& record) {
  std::size_t bytes = record.body.size();
  for (const auto& [name, value] : record.attributes) bytes += name.size() + value.size();
  return bytes;
}

}  // namespace

void check_otlp_url(const std::string& url) {
  const auto read = read_url(url);
  if (!read || !read->query.empty()) {
    throw Error(
        ErrorCode::invalid_argument,
        "'" + url.substr(0, 200) + "' is no collector: write http://HOST:4318 or https://...");
  }
}

Headers read_otlp_headers(const std::string& text) {
  Headers headers;
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    line = base::trim(line, " \t\r");
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const bool is_good =
        colon != std::string_view::npos && !name.empty() &&
        name.find_first_of(" \t") == std::string_view::npos &&
        std::ranges::all_of(line, [](char letter) { return letter >= ' ' && letter != '\x7f'; });
    if (!is_good || headers.fields().size() == kMostHeaders) {
      throw Error(ErrorCode::invalid_argument,
                  "line " + std::to_string(number) + " is no header: write NAME: VALUE, " +
                      std::to_string(kMostHeaders) + " of them at most");
    }
    headers.set(std::string(name), std::string(base::trim(line.substr(colon + 1))));
  }
  return headers;
}

OtlpSender::OtlpSender(OtlpOptions options)
    : options_(std::move(options)),
      started_(base::SystemClock().now()),
      client_({.ca_file = options_.ca_file,
               .certificate_file = {},
               .private_key = {},
               .proxy = {},
               .connect_timeout = std::chrono::milliseconds(5'000)}) {
  check_otlp_url(options_.url);
  thread_ = std::thread([this] { run(); });
}

OtlpSender::~OtlpSender() {
  stop_metrics();
  {
    std::unique_lock lock(mutex_);
    is_in_hurry_ = true;
    not_before_ = {};  // one more attempt
    changed_.notify_all();
    changed_.wait_for(lock, kFarewell, [this] { return queue_.empty(); });
    is_stopping_ = true;
  }
  is_given_up_ = true;
  changed_.notify_all();
  thread_.join();
}

void OtlpSender::send(OtlpLogRecord record) {
  const std::size_t bytes = size_of(record);
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostQueued || queued_bytes_ + bytes > kMostQueuedBytes) {
      ++counts_.dropped;
      return;
    }
    queued_bytes_ += bytes;
    queue_.push_back(std::move(record));
  }
  changed_.notify_all();
}

void OtlpSender::start_metrics(std::function<std::string()> page) {
  {
    const std::lock_guard lock(metrics_mutex_);
    metrics_ = std::move(page);
  }
  {
    const std::lock_guard lock(mutex_);
    has_metrics_ = true;
    metrics_due_ = Steady::now();
  }
  changed_.notify_all();
}

void OtlpSender::stop_metrics() {
  {
    const std::lock_guard lock(mutex_);
    has_metrics_ = false;
  }
  const std::lock_guard lock(metrics_mutex_);
  metrics_ = nullptr;
}

OtlpSender::Counts OtlpSender::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void OtlpSender::run() {
  while (true) {
    bool are_metrics_due = false;
    bool are_there_logs = false;
    {
      std::unique_lock lock(mutex_);
      const auto next = [this] {
        auto at = Steady::time_point::max();
        if (has_metrics_) at = metrics_due_;
        if (!queue_.empty()) at = Steady::time_point::min();  // at once
        return std::max(at, not_before_);
      };
      while (!is_stopping_ && next() > Steady::now()) {
        const auto at = next();
        if (at == Steady::time_point::max()) {
          changed_.wait(lock);
        } else {
          changed_.wait_until(lock, at);
        }
      }
      if (is_stopping_) return;
      are_metrics_due = has_metrics_ && metrics_due_ <= Steady::now();
      are_there_logs = !queue_.empty();
      if (are_there_logs && queue_.size() < kMostBatch) {
        changed_.wait_for(lock, kGather, [this] {
          return is_stopping_ || is_in_hurry_ || queue_.size() >= kMostBatch;
        });
      }
      if (are_metrics_due) metrics_due_ = Steady::now() + options_.metrics_every;
    }
    if (are_there_logs && !send_logs()) continue;
    if (are_metrics_due) send_metrics();
  }
}

bool OtlpSender::send_logs() {
  std::vector<OtlpLogRecord> batch;
  std::size_t bytes = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const OtlpLogRecord& record : queue_) {
      if (batch.size() == kMostBatch || (!batch.empty() && bytes > kMostBatchBytes)) break;
      bytes += size_of(record);
      batch.push_back(record);
    }
  }
  const OtlpAnswer answer = post("/v1/logs", to_otlp_logs(options_.resource, batch));
  say_outcome(answer);
  const bool is_over = answer.outcome != OtlpAnswer::Outcome::again;
  {
    const std::lock_guard lock(mutex_);
    if (is_over) {
      // Only this thread takes from the front.
      for (std::size_t i = 0; i < batch.size(); ++i) {
        queued_bytes_ -= size_of(queue_.front());
        queue_.pop_front();
      }
      const bool is_taken = answer.outcome == OtlpAnswer::Outcome::taken;
      const std::uint64_t lost =
          is_taken ? std::min<std::uint64_t>(answer.rejected, batch.size()) : batch.size();
      counts_.dropped += lost;
      counts_.sent += batch.size() - lost;
    }
  }
  pause_after(answer);
  changed_.notify_all();
  return is_over;
}

void OtlpSender::send_metrics() {
  std::string page;
  {
    const std::lock_guard lock(metrics_mutex_);
    if (!metrics_) return;
    try {
      page = metrics_();
    } catch (const std::exception& error) {
      base::log_error("the metrics for the collector cannot be read", {{"reason", error.what()}});
      return;
    }
  }
  const OtlpAnswer answer = post(
      "/v1/metrics", to_otlp_metrics(options_.resource, page, started_, base::SystemClock().now()));
  say_outcome(answer);
  {
    const std::lock_guard lock(mutex_);
    ++(answer.outcome == OtlpAnswer::Outcome::taken ? counts_.metrics_sent
                                                    : counts_.metrics_failed);
  }
  pause_after(answer);
}

OtlpAnswer OtlpSender::post(const char* path, std::string body) {
  OutgoingRequest request;
  request.method = "POST";
  request.url = options_.url + (options_.url.ends_with('/') ? path + 1 : path);
  request.headers = options_.headers;
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  request.timeout = kDeadline;
  request.max_response_bytes = kMostAnswer;
  request.cancelled = &is_given_up_;
  try {
    return read_otlp_answer(client_.send(request));
  } catch (const Error& error) {
    return {.outcome = OtlpAnswer::Outcome::again, .reason = error.message()};
  }
}

// Says what has changed, once.
void OtlpSender::say_outcome(const OtlpAnswer& answer) {
  if (is_given_up_) return;
  const Counts now = counts();
  if (answer.outcome == OtlpAnswer::Outcome::again) {
    if (!std::exchange(is_away_, true)) {
      base::log_error("the collector of --otlp takes nothing: records wait, and beyond " +
                          std::to_string(kMostQueued) + " they are dropped",
                      {{"reason", answer.reason}});
    }
    return;
  }
  if (std::exchange(is_away_, false)) {
    base::log_info("the collector of --otlp takes records again", {{"dropped", now.dropped}});
  }
  const bool is_refused = answer.outcome == OtlpAnswer::Outcome::refused || answer.rejected > 0;
  if (is_refused && !std::exchange(has_refused_, true)) {
    base::log_error("the collector of --otlp refuses what it is sent, which is dropped",
                    {{"reason", answer.reason}});
  }
  if (!is_refused) has_refused_ = false;
}

void OtlpSender::pause_after(const OtlpAnswer& answer) {
  if (answer.outcome != OtlpAnswer::Outcome::again) {
    pause_ = seconds(0);
    return;
  }
  pause_ = std::clamp(pause_ * 2, seconds(1), kLongestPause);
  const std::lock_guard lock(mutex_);
  not_before_ = Steady::now() + std::max(pause_, answer.wait);
}

}  // namespace andon::wire
