// SPDX-License-Identifier: Apache-2.0
// Many small pieces of work in few commits: one thread takes whatever is queued, does it in one
// transaction, and tells each piece after the COMMIT. While one group is being made durable the
// next one gathers, so that the price of an fsync is shared and nobody waits for company.
// A piece that throws is undone alone. Any thread; the destructor first does what is queued.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "base/metrics/histogram.hpp"
#include "store/sql/database.hpp"

namespace andon::store {

class GroupCommit {
 public:
  using Work = std::function<void(Transaction&)>;
  // Null: it is durable. Runs on the committing thread: short, and throws nothing.
  using Done = std::function<void(std::exception_ptr)>;

  struct Limits {
    std::size_t pieces = 256;     // in one commit
    std::size_t queued = 50'000;  // beyond it submit() throws resource_exhausted
  };

  explicit GroupCommit(Database& database) : GroupCommit(database, Limits{}) {}
  GroupCommit(Database& database, Limits limits);
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;
  ~GroupCommit();

  // `work` runs within a savepoint, in the order of submission; it may run twice where the group
  // that it was in failed as a whole, but never after it has taken effect.
  void submit(Work work, Done done);
  // The same for one who waits.
  void write(const Work& work);

  struct Counts {
    Counts();
    std::uint64_t commits = 0;
    std::uint64_t pieces = 0;
    base::Histogram seconds;  // a transaction: its pieces and making them durable
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Piece {
    Work work;
    Done done;
    std::exception_ptr failure;
  };

  void run();
  void commit(std::deque<Piece>& group);

  Database& database_;
  const Limits limits_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Piece> queue_;
  bool stopping_ = false;
  Counts counts_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace andon::store
