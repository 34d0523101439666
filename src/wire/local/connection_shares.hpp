// SPDX-License-Identifier: Apache-2.0
// Which connections a server keeps when there are too many. A connection is a guest until its
// server holds it (it has shown who it is, or its answer is being made): guests are few, few for
// each user, and the oldest goes when a new one comes, so that who only takes up room takes it from
// himself. Values; one thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace andon::wire {

struct ConnectionLimits {
  std::size_t all = 256;
  std::size_t of_user = 128;
  std::size_t guests = 64;
  std::size_t guests_of_user = 16;
};

class ConnectionShares {
 public:
  using Id = std::uint64_t;           // rises from connection to connection
  using User = std::optional<uid_t>;  // all those whose user is not known share one share

  explicit ConnectionShares(const ConnectionLimits& limits) : limits_(limits) {}

  // Takes a new connection in. Gives the one that must be closed for it: an older guest, or `id`
  // itself where nobody gives way. That one is forgotten already.
  [[nodiscard]] std::optional<Id> admit(Id id, User user);
  // From now on it does not give way; and again like any guest.
  void hold(Id id);
  void release(Id id);
  void remove(Id id);

 private:
  struct Entry {
    User user;
    bool is_held = false;
  };

  [[nodiscard]] std::size_t count_of(User user) const;
  [[nodiscard]] std::map<User, std::size_t> guests_by_user() const;
  [[nodiscard]] std::optional<Id> oldest_guest_of(User user) const;
  [[nodiscard]] std::optional<Id> oldest_guest_of_the_greediest() const;

  ConnectionLimits limits_;
  std::map<Id, Entry> entries_;
};

}  // namespace andon::wire
