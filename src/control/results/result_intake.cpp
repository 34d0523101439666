// SPDX-License-Identifier: Apache-2.0
#include "control/results/result_intake.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/utf8.hpp"
#include "fleet/messages/result_message.hpp"
#include "fleet/names/topic.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

constexpr std::size_t kMostProblem = 300;

}  // namespace

NewResult read_result(std::string thing, std::string payload, base::Timestamp now) {
  NewResult result{.thing = std::move(thing)};
  try {
    fleet::ResultMessage read = fleet::parse_result_message(payload);
    result.time = read.time;
    result.image = std::move(read.image);
    result.component = std::move(read.component);
    result.model = std::move(read.model);
    result.model_version = std::move(read.model_version);
    result.label = std::move(read.label);
    result.score = read.score;
    result.verdict = std::move(read.verdict);
    result.error = std::move(read.error);
    result.message = std::move(payload);
  } catch (const base::Error& error) {
    result.problem = base::utf8_prefix(error.message(), kMostProblem);
    result.time = now;
    result.image = "sha256:" + trust::sha256_hex(payload);
    // The broker lets no larger one through; another broker may.
    if (payload.size() <= fleet::kResult.max_bytes) result.message = base::to_valid_utf8(payload);
  }
  return result;
}

ResultIntake::ResultIntake(Results& results, Notifier& notifier, const base::Clock& clock, May may,
                           Limits limits)
    : results_(results),
      notifier_(notifier),
      clock_(clock),
      may_(std::move(may)),
      limits_(limits),
      thread_([this] { work(); }) {}

ResultIntake::~ResultIntake() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ResultIntake::take(std::string thing, std::string payload) {
  Message message{std::move(thing), std::move(payload)};
  const std::size_t size = message.bytes();
  {
    const std::lock_guard lock(mutex_);
    const auto own = thing_bytes_.find(message.thing);
    const std::size_t own_bytes = own == thing_bytes_.end() ? 0 : own->second;
    if (queue_.size() >= limits_.queued || queued_bytes_ + size > limits_.queued_bytes ||
        own_bytes + size > limits_.thing_bytes) {
      ++counts_.dropped;
      return;
    }
    thing_bytes_[message.thing] = own_bytes + size;
    queued_bytes_ += size;
    queue_.push_back(std::move(message));
  }
  changed_.notify_one();
}

ResultIntake::Counts ResultIntake::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::vector<ResultIntake::Message> ResultIntake::next_batch() {
  std::vector<Message> batch;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
  changed_.wait_for(lock, limits_.gather,
                    [this] { return is_stopping_ || queue_.size() >= limits_.batch; });
  while (!queue_.empty() && batch.size() < limits_.batch) {
    Message& first = queue_.front();
    queued_bytes_ -= first.bytes();
    const auto own = thing_bytes_.find(first.thing);
    own->second -= first.bytes();
    if (own->second == 0) thing_bytes_.erase(own);
    batch.push_back(std::move(first));
    queue_.pop_front();
  }
  return batch;
}

void ResultIntake::work() {
  while (true) {
    const std::vector<Message> batch = next_batch();
    if (batch.empty()) return;  // it ends, and nothing is left
    try {
      store(batch);
    } catch (const std::exception& error) {  // the next ones may fare better
      base::log_error("results could not be stored", {{"error", std::string(error.what())}});
    }
  }
}

// The disk may be full for a while: devices keep what they are not told to be stored.
bool ResultIntake::put(const std::vector<NewResult>& results, std::size_t& added) {
  try {
    added += results_.put(results);
    last_problem_.clear();
    return true;
  } catch (const base::Error& error) {
    if (error.message() != last_problem_) {
      last_problem_ = error.message();
      base::log_error("results cannot be stored; devices keep them meanwhile",
                      {{"reason", error.message()}});
    }
    return false;
  }
}

void ResultIntake::store(const std::vector<Message>& batch) {
  std::map<std::string, bool> may;
  std::map<std::string, std::vector<std::string>> digests;  // by thing
  std::vector<NewResult> results;
  std::uint64_t unreadable = 0;
  for (const Message& message : batch) {
    const auto [allowed, is_new] = may.try_emplace(message.thing, false);
    if (is_new) {
      allowed->second = may_(message.thing);
      if (!allowed->second) {
        base::log_warning("results of a thing without a good certificate are left alone",
                          {{"thing", message.thing}});
      }
    }
    if (!allowed->second) continue;
    results.push_back(read_result(message.thing, message.payload, clock_.now()));
    if (!results.back().problem.empty()) ++unreadable;
    digests[message.thing].push_back(trust::sha256_hex(message.payload));
  }
  std::size_t added = 0;
  const bool is_stored = results.empty() || put(results, added);
  {
    std::unique_lock lock(mutex_);
    counts_.dropped += batch.size() - results.size();
    if (is_stored) {
      counts_.stored += added;
      counts_.repeated += results.size() - added;
      counts_.unreadable += unreadable;
    } else {
      counts_.dropped += results.size();
      changed_.wait_for(lock, limits_.after_failure, [this] { return is_stopping_; });
      return;
    }
  }
  for (auto& [thing, of_thing] : digests) tell(thing, std::move(of_thing));
}

void ResultIntake::tell(const std::string& thing, std::vector<std::string> digests) {
  const std::string topic = fleet::DeviceTopics(thing).stored_by(kServerConsumer);
  while (!digests.empty()) {
    const std::size_t count = std::min(digests.size(), fleet::kMaxStoredDigests);
    const auto rest = digests.begin() + static_cast<std::ptrdiff_t>(count);
    // A message that is lost does no harm: the device sends its results again.
    notifier_.publish(topic,
                      fleet::make_stored_message(std::vector<std::string>(digests.begin(), rest)));
    digests.erase(digests.begin(), rest);
  }
}

}  // namespace andon::control
