// SPDX-License-Identifier: Apache-2.0
#include "api/topicrules/rule_feed.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/log/log.hpp"
#include "fleet/names/topic.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kAtOnce = 200;              // messages of a transaction
constexpr std::size_t kAtOnceBytes = 8U << 20U;   // of what comes of them
constexpr std::chrono::milliseconds kPause{500};  // before what could not be written is tried
constexpr std::chrono::seconds kGlance{5};        // at the rules, where nobody wakes it
constexpr std::string_view kBasicIngest = "$aws/rules/#";
constexpr std::uint64_t kToldDrops = 1000;  // of so many one is told

// What the broker tells its server alone, and what people ask of devices, whose answers are theirs.
bool is_kept_from_rules(std::string_view topic) {
  return topic.starts_with("$SYS/") || fleet::is_command_topic(topic);
}

}  // namespace

RuleFeed::RuleFeed(Parts parts)
    : parts_(std::move(parts)), matcher_(parts_.rules, parts_.queue.arns()) {}

RuleFeed::~RuleFeed() {
  stop();
}

void RuleFeed::run(wire::MqttClient& client) {
  client_ = &client;
  thread_ = std::thread([this] { work(); });
}

void RuleFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (const auto& [filter, id] : subscriptions_) client_->unsubscribe(id);
  subscriptions_.clear();
}

void RuleFeed::wake() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  changed_.notify_all();
}

void RuleFeed::take(const std::string& filter, const wire::MqttMessage& message) {
  // What the broker has kept from before was seen when it came.
  if (message.is_retained || is_kept_from_rules(message.topic)) return;
  const int hops = parts_.republished.hops_of(message.topic, message.payload);
  {
    const std::lock_guard lock(mutex_);
    const std::size_t bytes = message.topic.size() + message.payload.size();
    if (waiting_.size() >= kMostWaiting || waiting_bytes_ + bytes > kMostWaitingBytes) {
      if (dropped_.fetch_add(1) % kToldDrops == 0) {
        base::log_warning("messages for topic rules come too fast: one was dropped",
                          {{"topic", message.topic}});
      }
      return;
    }
    waiting_bytes_ += bytes;
    waiting_.push_back({filter, message.topic, message.payload, parts_.clock.now(), hops});
  }
  changed_.notify_all();
}

void RuleFeed::follow_rules() {
  const std::uint64_t revision = parts_.rules.revision();
  if (revision == revision_) return;
  std::vector<std::string> filters = matcher_.filters();
  if (!filters.empty()) filters.emplace_back(kBasicIngest);
  for (auto one = subscriptions_.begin(); one != subscriptions_.end();) {
    if (std::ranges::find(filters, one->first) != filters.end()) {
      ++one;
      continue;
    }
    client_->unsubscribe(one->second);
    one = subscriptions_.erase(one);
  }
  for (const std::string& filter : filters) {
    if (subscriptions_.contains(filter)) continue;
    subscriptions_[filter] = client_->subscribe(
        filter, wire::Qos::at_least_once,
        [this, filter](const wire::MqttMessage& message) { take(filter, message); });
  }
  revision_ = revision;
}

void RuleFeed::work() {
  std::deque<events::RuleMatcher::Message> in_hand;
  std::string last_problem;
  for (;;) {
    bool is_stuck = false;
    try {
      follow_rules();
      write(in_hand);
      last_problem.clear();
    } catch (const std::exception& error) {
      // The disk may be full for a while, or too much wait for its targets.
      is_stuck = true;
      if (last_problem != error.what()) {
        last_problem = error.what();
        base::log_error("messages for topic rules stand still", {{"error", last_problem}});
      }
    }
    std::unique_lock lock(mutex_);
    if (is_stuck) {
      changed_.wait_for(lock, kPause, [this] { return is_stopping_; });
      if (is_stopping_) return;
      continue;
    }
    changed_.wait_for(lock, kGlance,
                      [this] { return is_stopping_ || is_woken_ || !waiting_.empty(); });
    is_woken_ = false;
    if (is_stopping_ && waiting_.empty()) return;
    while (!waiting_.empty() && in_hand.size() < kAtOnce) {
      waiting_bytes_ -= waiting_.front().topic.size() + waiting_.front().payload.size();
      in_hand.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
}

void RuleFeed::write(std::deque<events::RuleMatcher::Message>& messages) {
  while (!messages.empty()) {
    std::vector<events::Delivery> all;
    std::size_t bytes = 0;
    std::ptrdiff_t taken = 0;
    for (const auto& message : messages) {
      auto found = matcher_.match(message);
      bytes += found.bytes;
      std::ranges::move(found.deliveries, std::back_inserter(all));
      for (const auto& [rule, why] : found.failures) {
        failed_.fetch_add(1);
        base::log_warning("a topic rule can make nothing of a message",
                          {{"rule", rule}, {"topic", message.topic}, {"why", why}});
      }
      ++taken;
      if (bytes >= kAtOnceBytes) break;
    }
    if (!all.empty()) {
      parts_.queue.deliver(all);
      parts_.delivered();
    }
    messages.erase(messages.begin(), messages.begin() + taken);
    taken_.fetch_add(static_cast<std::uint64_t>(taken));
  }
}

}  // namespace andon::api
