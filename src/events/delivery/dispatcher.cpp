// SPDX-License-Identifier: Apache-2.0
#include "events/delivery/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "base/log/log.hpp"

namespace andon::events {
namespace {

constexpr std::size_t kStep = 100;       // rows a transaction
constexpr std::size_t kLookedAt = 1000;  // deliveries that are due

}  // namespace

Dispatcher::Dispatcher(EventQueue& queue, const base::Clock& clock, std::vector<Feed> feeds,
                       Send send, Limits limits, std::function<void()> settled)
    : queue_(queue),
      clock_(clock),
      feeds_(std::move(feeds)),
      send_(std::move(send)),
      limits_(limits),
      settled_(std::move(settled)) {}

Dispatcher::~Dispatcher() {
  stop();
}

void Dispatcher::run() {
  thread_ = std::thread([this] { work(); });
}

void Dispatcher::stop() {
  {
    const std::lock_guard lock(gate_->mutex);
    gate_->is_open = false;
  }
  gate_->changed.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Dispatcher::wake() {
  {
    const std::lock_guard lock(gate_->mutex);
    gate_->is_woken = true;
  }
  gate_->changed.notify_all();
}

void Dispatcher::work() {
  for (;;) {
    bool has_more = false;
    try {
      has_more = step();
      last_problem_.clear();
    } catch (const std::exception& error) {
      // The disk may be full for a while.
      if (last_problem_ != error.what()) {
        last_problem_ = error.what();
        base::log_error("events stand still", {{"error", last_problem_}});
      }
    }
    std::unique_lock lock(gate_->mutex);
    if (!has_more) {
      gate_->changed.wait_for(lock, limits_.glance, [this] {
        return !gate_->is_open || gate_->is_woken || !gate_->answers.empty();
      });
    }
    gate_->is_woken = false;
    if (!gate_->is_open) return;
  }
}

bool Dispatcher::step() {
  bool did = settle();
  did = pull() || did;
  did = queue_.fire_due(kStep) > 0 || did;
  did = queue_.match(kStep) > 0 || did;
  return send_due() || did;
}

bool Dispatcher::settle() {
  std::vector<std::pair<std::int64_t, Outcome>> answers;
  {
    const std::lock_guard lock(gate_->mutex);
    answers.swap(gate_->answers);
  }
  const auto now = clock_.now();
  for (const auto& [id, one] : in_flight_) {
    if (now - one.since > limits_.longest_attempt) {
      answers.emplace_back(id, Outcome{Outcome::Kind::failed, "TIMEOUT", "it has not answered"});
    }
  }
  std::vector<EventQueue::Settled> settled;
  for (auto& [id, outcome] : answers) {
    const auto found = in_flight_.find(id);
    if (found == in_flight_.end()) continue;
    settled.push_back({found->second.delivery, std::move(outcome)});
    in_flight_.erase(found);
  }
  if (settled.empty()) return false;
  try {
    queue_.settle(settled);
  } catch (...) {
    // They are tried to be settled again.
    const std::lock_guard lock(gate_->mutex);
    for (EventQueue::Settled& one : settled) {
      const std::int64_t id = one.delivery.id;
      in_flight_[id] = {std::move(one.delivery), now};
      gate_->answers.emplace_back(id, std::move(one.outcome));
    }
    throw;
  }
  if (settled_) settled_();
  return true;
}

bool Dispatcher::pull() {
  bool did = false;
  for (const Feed& feed : feeds_) {
    if (!queue_.has_room()) return did;
    const std::int64_t before = queue_.position(feed.name);
    const auto items = feed.read(before, kStep);
    if (items.empty()) continue;
    queue_.database().write([&](store::Transaction& tx) {
      for (const Feed::Item& item : items) {
        if (item.position <= before || !item.event) continue;
        queue_.accept(tx, std::string(kDefaultBus), envelop(*item.event, queue_.arns()));
      }
      queue_.note_position(tx, feed.name, std::max(before, items.back().position));
    });
    feed.taken(items.back().position);
    did = true;
  }
  return did;
}

bool Dispatcher::send_due() {
  if (in_flight_.size() >= limits_.in_flight) return false;
  std::map<std::string, std::size_t> of_target;
  for (const auto& [id, one] : in_flight_) ++of_target[one.delivery.target_arn()];
  bool did = false;
  for (const Delivery& delivery : queue_.due(kLookedAt)) {
    if (in_flight_.size() >= limits_.in_flight) break;
    if (in_flight_.contains(delivery.id)) continue;
    if (of_target[delivery.target_arn()]++ >= limits_.to_one_target) continue;
    in_flight_[delivery.id] = {delivery, clock_.now()};
    send(delivery);
    did = true;
  }
  return did;
}

void Dispatcher::send(const Delivery& delivery) {
  const Reply reply = [gate = gate_, id = delivery.id](Outcome outcome) {
    {
      const std::lock_guard lock(gate->mutex);
      if (!gate->is_open) return;
      gate->answers.emplace_back(id, std::move(outcome));
    }
    gate->changed.notify_all();
  };
  try {
    send_(delivery, reply);
  } catch (const std::exception& error) {
    reply({Outcome::Kind::failed, "INTERNAL_ERROR", error.what()});
  }
}

}  // namespace andon::events
