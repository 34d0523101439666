// SPDX-License-Identifier: Apache-2.0
// Takes devices' results off the network, stores them many to a commit, and tells each device what
// is stored, so that it may forget it. What is queued is bounded, of all and of one thing; what has
// no room, or cannot be stored now, is dropped and counted: the device was told nothing, keeps it
// and sends it again. Owned by the server.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/results/results.hpp"
#include "control/shared/notifier.hpp"

namespace andon::control {

// The server's own store among the consumers of results.
inline constexpr std::string_view kServerConsumer = "server";

class ResultIntake {
 public:
  struct Limits {
    std::size_t queued = 20'000;
    std::size_t queued_bytes = 32U << 20U;
    std::size_t thing_bytes = 8U << 20U;   // of one thing
    std::size_t batch = 500;               // in one commit
    std::chrono::milliseconds gather{50};  // a commit waits so long for more
    std::chrono::milliseconds after_failure{500};
  };
  // Asked for each thing of a batch.
  using May = std::function<bool(const std::string& thing)>;

  ResultIntake(Results& results, Notifier& notifier, const base::Clock& clock, May may)
      : ResultIntake(results, notifier, clock, std::move(may), Limits{}) {}
  // All but `may` are kept by reference.
  ResultIntake(Results& results, Notifier& notifier, const base::Clock& clock, May may,
               Limits limits);
  ResultIntake(const ResultIntake&) = delete;
  ResultIntake& operator=(const ResultIntake&) = delete;
  // Stores what is queued.
  ~ResultIntake();

  // Any thread; does not wait. `thing` is who the broker says that it is.
  void take(std::string thing, std::string payload);

  struct Counts {
    std::uint64_t stored = 0;
    std::uint64_t repeated = 0;    // there already
    std::uint64_t unreadable = 0;  // of the stored ones
    std::uint64_t dropped = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Message {
    std::string thing;
    std::string payload;

    [[nodiscard]] std::size_t bytes() const { return sizeof(Message) + payload.size(); }
  };

  void work();
  [[nodiscard]] std::vector<Message> next_batch();
  void store(const std::vector<Message>& batch);
  [[nodiscard]] bool put(const std::vector<NewResult>& results, std::size_t& added);
  void tell(const std::string& thing, std::vector<std::string> digests);

  Results& results_;
  Notifier& notifier_;
  const base::Clock& clock_;
  const May may_;
  const Limits limits_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Message> queue_;
  std::size_t queued_bytes_ = 0;
  std::map<std::string, std::size_t> thing_bytes_;
  Counts counts_;
  bool is_stopping_ = false;
  std::string last_problem_;  // of the thread alone
  std::thread thread_;        // last: it uses all of the above
};

// What a message of `thing` is kept as; what is no result is kept with the reason why.
[[nodiscard]] NewResult read_result(std::string thing, std::string payload, base::Timestamp now);

}  // namespace andon::control
