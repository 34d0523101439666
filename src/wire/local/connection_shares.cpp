// SPDX-License-Identifier: Apache-2.0
#include "wire/local/connection_shares.hpp"

#include <algorithm>

namespace andon::wire {

std::optional<ConnectionShares::Id> ConnectionShares::admit(Id id, User user) {
  const std::map<User, std::size_t> guests = guests_by_user();
  std::size_t all_guests = 0;
  for (const auto& [other, count] : guests) all_guests += count;
  const auto own = guests.find(user);
  const std::size_t own_guests = own == guests.end() ? 0 : own->second;

  const bool user_is_full =
      own_guests >= limits_.guests_of_user || count_of(user) >= limits_.of_user;
  const bool all_is_full = all_guests >= limits_.guests || entries_.size() >= limits_.all;
  std::optional<Id> leaves;
  if (user_is_full) {
    leaves = oldest_guest_of(user).value_or(id);
  } else if (all_is_full) {
    leaves = oldest_guest_of_the_greediest().value_or(id);
  }
  if (leaves != id) entries_[id] = {user, false};
  if (leaves) entries_.erase(*leaves);
  return leaves;
}

void ConnectionShares::hold(Id id) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.is_held = true;
}

void ConnectionShares::release(Id id) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.is_held = false;
}

void ConnectionShares::remove(Id id) {
  entries_.erase(id);
}

std::size_t ConnectionShares::count_of(User user) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [&](const auto& one) { return one.second.user == user; }));
}

std::map<ConnectionShares::User, std::size_t> ConnectionShares::guests_by_user() const {
  std::map<User, std::size_t> guests;
  for (const auto& [id, entry] : entries_) {
    if (!entry.is_held) ++guests[entry.user];
  }
  return guests;
}

std::optional<ConnectionShares::Id> ConnectionShares::oldest_guest_of(User user) const {
  const auto found = std::ranges::find_if(
      entries_, [&](const auto& one) { return !one.second.is_held && one.second.user == user; });
  if (found == entries_.end()) return std::nullopt;
  return found->first;
}

std::optional<ConnectionShares::Id> ConnectionShares::oldest_guest_of_the_greediest() const {
  const std::map<User, std::size_t> guests = guests_by_user();
  const auto greediest =
      std::ranges::max_element(guests, {}, [](const auto& one) { return one.second; });
  if (greediest == guests.end()) return std::nullopt;
  return oldest_guest_of(greediest->first);
}

}  // namespace andon::wire
