// SPDX-License-Identifier: Apache-2.0
#include "control/passwords/attempt_limits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kShared = "shared";
constexpr std::size_t kPlacesOfAnAttempt = 3;
constexpr std::chrono::seconds kBetweenSweeps{1};  // each looks at every place

// What one customer of a provider has of addresses is one: a /64. IPv4 within IPv6 is itself.
std::string network_of(const std::string& address) {
  if (address.find(':') == std::string::npos || address.find('.') != std::string::npos) {
    return address;
  }
  constexpr int kGroups = 4;
  std::string network;
  std::size_t at = 0;
  for (int group = 0; group < kGroups; ++group) {
    const std::size_t colon = address.find(':', at);
    if (colon == std::string::npos || colon == at) break;  // the end, or "::"
    network += address.substr(at, colon - at) + ":";
    at = colon + 1;
  }
  return network;
}

// Names come from strangers, and may be long.
std::string key_of(std::string_view kind, const std::string& text) {
  return std::string(kind) + trust::sha256_hex(text);
}

std::array<std::string, kPlacesOfAnAttempt> keys_of(const Attempt& attempt) {
  const std::string user = base::to_lower(attempt.user);
  const std::string network = network_of(attempt.address);
  return {key_of("both ", user + "\n" + network), key_of("address ", network),
          key_of("user ", user)};
}

}  // namespace

void AttemptLimits::fill(Place& place, TimePoint now) {
  if (now <= place.filled) return;
  const std::chrono::duration<double> passed = now - place.filled;
  const std::chrono::duration<double> each = place.rate.each;
  place.left = std::min(place.rate.at_once, place.left + (passed / each));
  place.filled = now;
}

// Whose time is over makes room; nobody else does, or strangers could have theirs forgotten.
void AttemptLimits::make_room(TimePoint now) {
  if (places_.size() + kPlacesOfAnAttempt <= kMost || now < swept_ + kBetweenSweeps) return;
  swept_ = now;
  for (auto& [name, place] : places_) fill(place, now);
  std::erase_if(places_,
                [](const auto& one) { return one.second.left >= one.second.rate.at_once; });
}

AttemptLimits::Place& AttemptLimits::place_of(const std::string& key, const Rate& rate,
                                              TimePoint now) {
  if (const auto found = places_.find(key); found != places_.end()) return found->second;
  const std::string name = places_.size() < kMost ? key : std::string(kShared);
  return places_.try_emplace(name, Place{rate.at_once, rate, now}).first->second;
}

void AttemptLimits::take(const Attempt& attempt, TimePoint now) {
  using std::chrono::seconds;
  constexpr std::array<Rate, kPlacesOfAnAttempt> kRates = {
      {{5, seconds{30}}, {30, seconds{10}}, {60, seconds{30}}}};
  const std::scoped_lock lock(mutex_);
  make_room(now);  // before any place is held
  const auto keys = keys_of(attempt);
  std::vector<Place*> places;
  double wait = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Place& place = place_of(keys[i], kRates[i], now);
    fill(place, now);
    const double missing = 1 - place.left;
    wait = std::max(wait, missing * static_cast<double>(place.rate.each.count()));
    places.push_back(&place);
  }
  if (wait > 0) {
    throw Error(ErrorCode::resource_exhausted,
                "too many attempts to sign in; try again in " +
                    std::to_string(static_cast<long>(std::ceil(wait))) + " seconds");
  }
  for (Place* const place : places) place->left -= 1;
}

void AttemptLimits::give_back(const Attempt& attempt) {
  const std::scoped_lock lock(mutex_);
  for (const std::string& key : keys_of(attempt)) {
    const auto found = places_.find(key);
    if (found == places_.end()) continue;
    Place& place = found->second;
    place.left = std::min(place.rate.at_once, place.left + 1);
  }
}

std::size_t AttemptLimits::size() const {
  const std::scoped_lock lock(mutex_);
  return places_.size();
}

}  // namespace andon::control
