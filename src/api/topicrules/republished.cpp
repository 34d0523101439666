// SPDX-License-Identifier: Apache-2.0
#include "api/topicrules/republished.hpp"

#include <algorithm>

#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

std::string key_of(std::string_view topic, std::string_view payload) {
  std::string bytes(topic);
  bytes += '\0';  // stands in no topic
  bytes += payload;
  return trust::sha256_hex(bytes);
}

}  // namespace

void Republished::add(std::string_view topic, std::string_view payload, int hops) {
  const std::string key = key_of(topic, payload);
  const base::Timestamp now = clock_.now();
  const std::lock_guard lock(mutex_);
  forget_old(now);
  Kept& kept = kept_[key];
  kept = {std::max(kept.hops, hops), now};
  order_.push_back({key, now});
}

int Republished::hops_of(std::string_view topic, std::string_view payload) const {
  {
    const std::lock_guard lock(mutex_);
    if (kept_.empty()) return 0;
  }
  const std::string key = key_of(topic, payload);
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key);
  if (found == kept_.end() || clock_.now() - found->second.time > kKept) return 0;
  return found->second.hops;
}

void Republished::forget_old(base::Timestamp now) {
  while (!order_.empty() && (order_.size() >= kMost || now - order_.front().time > kKept)) {
    const auto found = kept_.find(order_.front().key);
    // It may have been added once more since then.
    if (found != kept_.end() && found->second.time == order_.front().time) kept_.erase(found);
    order_.pop_front();
  }
}

}  // namespace andon::api
