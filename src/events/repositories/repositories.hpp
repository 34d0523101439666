// SPDX-License-Identifier: Apache-2.0
// Room: repositories. Refs of Git repositories that are asked for by and by, for plants that no
// forge can call: where one has moved, the same event as a push of a webhook goes onto the default
// bus, in the transaction that remembers the commit, so none comes twice and none is lost by a
// crash (of several moves between two looks the last is seen). This file has the rows; watcher.hpp
// asks. Any thread; each call is one transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/delivery/queue.hpp"

namespace andon::events {

struct Repository {
  std::string name;
  std::string url;
  std::string ref;        // HEAD, refs/heads/main
  std::string secret_id;  // of Secrets Manager; empty: none
  std::chrono::seconds interval{60};
  std::optional<std::string> commit;  // seen last; 40 zeros: there was no such ref
  std::optional<base::Timestamp> looked;
  std::int64_t failures = 0;  // one after the other
  std::string error;          // of the last one
  std::int64_t revision = 0;  // of what was put
};

class Repositories {
 public:
  static constexpr std::int64_t kMost = 1'000;
  static constexpr std::chrono::seconds kLeastInterval{10};
  static constexpr std::chrono::seconds kMostInterval{86'400};
  static constexpr std::chrono::seconds kMostPause{3'600};  // after failures

  Repositories(EventQueue& queue, const base::Clock& clock);

  // Another URL or ref is looked at anew: its first commit is no event. Throws invalid_argument,
  // resource_exhausted.
  void put(const Repository& repository);
  void remove(const std::string& name);  // not_found
  [[nodiscard]] std::vector<Repository> list(const std::string& after, std::size_t limit) const;
  [[nodiscard]] std::vector<Repository> due(std::size_t limit) const;

  // What the ref names; nothing: there is no such ref. Whether it was an event.
  bool seen(const Repository& repository, const std::optional<std::string>& commit);
  // It is asked again later and later.
  void failed(const Repository& repository, const std::string& error);

 private:
  EventQueue& queue_;
  const base::Clock& clock_;
};

}  // namespace andon::events
