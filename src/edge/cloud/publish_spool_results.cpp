// SPDX-License-Identifier: Apache-2.0
// Results, which stay in the spool until their consumers have stored them.
#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "edge/cloud/publish_spool.hpp"
#include "fleet/messages/result_message.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

// Once a consumer is back, what it lacks is sent in steps that grow to this.
constexpr std::int64_t kMostAgain = 256;

}  // namespace

void PublishSpool::keep_until_stored(const std::string& thing, store::Database& database) {
  const fleet::DeviceTopics topics(thing);
  results_topic_ = topics.results();
  silence_ = limits_.stored_within;
  database.read(
      [this](store::Transaction& transaction) { consumers_ = read_result_consumers(transaction); });
  subscription_ = link_.subscribe(topics.stored_by_any(), wire::Qos::at_least_once,
                                  [this](const wire::MqttMessage& message) { on_stored(message); });
}

bool PublishSpool::awaits_storing(const std::string& topic) const {
  // Until a server has spoken nobody's word is enough.
  return topic == results_topic_ && (!consumers_ || !consumers_->empty());
}

void PublishSpool::set_result_consumers(const std::vector<std::string>& consumers) {
  if (results_topic_.empty() || consumers_ == consumers) return;
  consumers_ = consumers;
  write_marks();
  const auto removed = std::make_shared<RemovedRows>();
  writer_.run(
      [removed, wanted = consumers_](store::Transaction& transaction) {
        write_result_consumers(transaction, wanted);
        *removed = remove_satisfied(transaction, wanted);
      },
      [this, alive = alive_, removed](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
        if (*alive) remove_rows(*removed);
      });
  look_for_stale_in(silence_);
}

void PublishSpool::on_stored(const wire::MqttMessage& message) {
  const auto consumer = fleet::consumer_of_stored(message.topic);
  if (!consumer) return;
  const bool is_named =
      !consumers_ || std::ranges::find(*consumers_, *consumer) != consumers_->end();
  if (!is_named) return;
  try {
    std::vector<std::string> digests = fleet::parse_stored_message(message.payload);
    stored_count_ += digests.size();
    stored_.push_back({*consumer, std::move(digests)});
    write_marks_soon();
  } catch (const base::Error& error) {
    base::log_warning("what a consumer of results says cannot be read",
                      {{"consumer", *consumer}, {"why", error.message()}});
  }
}

void PublishSpool::write_stored() {
  stored_count_ = 0;
  const auto removed = std::make_shared<RemovedRows>();
  writer_.run(
      [all = std::exchange(stored_, {}), removed,
       wanted = consumers_](store::Transaction& transaction) {
        for (const Stored& one : all) {
          RemovedRows some = note_stored(transaction, one.consumer, one.digests, wanted);
          removed->bytes += some.bytes;
          removed->ids.insert(removed->ids.end(), some.ids.begin(), some.ids.end());
        }
      },
      [this, alive = alive_, removed](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);  // sent again, said again
        if (*alive) remove_rows(*removed);
      });
}

void PublishSpool::remove_rows(const RemovedRows& removed) {
  if (removed.ids.empty()) return;
  bytes_ -= std::min(bytes_, removed.bytes);
  const std::set<std::int64_t> ids(removed.ids.begin(), removed.ids.end());
  const auto found = topics_.find(results_topic_);
  if (found != topics_.end()) {  // some were about to be sent again
    Topic& topic = found->second;
    auto first = topic.window.begin();
    if (topic.in_flight && first != topic.window.end()) {
      if (ids.contains(first->id)) first->bytes = 0;
      ++first;
    }
    const auto gone = std::stable_partition(
        first, topic.window.end(), [&](const Message& one) { return !ids.contains(one.id); });
    for (auto one = gone; one != topic.window.end(); ++one) window_bytes_ -= cost_of(*one);
    topic.window.erase(gone, topic.window.end());
  }
  if (sent_again_.empty()) return;
  for (const std::int64_t id : ids) sent_again_.erase(id);
  if (!sent_again_.empty()) return;
  // All that were sent again are stored: their consumer is there, and gets more of what it lacks.
  send_again_next_ = std::min(send_again_next_ * 2, kMostAgain);
  silence_ = limits_.stored_within;
  send_stale();
}

void PublishSpool::forget_silence() {
  loop_.cancel(std::exchange(stale_timer_, 0));
  sent_again_.clear();
  send_again_next_ = 1;
  silence_ = limits_.stored_within;
}

void PublishSpool::look_for_stale_in(milliseconds time) {
  if (stale_timer_ != 0 || !awaits_storing(results_topic_) || results_topic_.empty()) return;
  if (!link_.is_connected()) return;  // on_connection goes on
  stale_timer_ = loop_.after(time, [this] {
    stale_timer_ = 0;
    if (!sent_again_.empty()) {  // there was no word of them all the while
      sent_again_.clear();
      send_again_next_ = 1;
      silence_ = std::min(silence_ * 2, limits_.longest_silence);
    }
    send_stale();
  });
}

void PublishSpool::send_stale() {
  if (!link_.is_connected()) return;
  loop_.cancel(std::exchange(stale_timer_, 0));
  write_marks();
  ++taking_back_;  // they go out in their place, before what is newer
  const std::int64_t now = base::to_epoch_millis(clock_.now());
  const auto stale = std::make_shared<Stale>();
  writer_.run(
      [stale, now, sent_before = now - limits_.stored_within.count(),
       most = send_again_next_](store::Transaction& transaction) {
        *stale = send_stale_again(transaction, sent_before, now, most);
      },
      [this, alive = alive_, stale](std::exception_ptr error) {
        if (!*alive) return;
        --taking_back_;
        if (!error && !stale->ids.empty()) {
          sent_again_.insert(stale->ids.begin(), stale->ids.end());
          clear_window(topics_[results_topic_]);
        }
        send_all();
        if (error || stale->has_more) look_for_stale_in(silence_);
        if (error) std::rethrow_exception(error);
      });
}

}  // namespace andon::edge
