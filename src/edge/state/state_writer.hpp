// SPDX-License-Identifier: Apache-2.0
// All that the running agent reads from and writes to config.db goes through here, off the event
// loop and in order. What comes in while the disk is busy shares the next transaction, and with it
// one sync (group commit): a component that publishes a lot does not wait for a sync a message.
// Owned by the agent, used on the main thread only. Every piece of work happens whole or not at
// all, and its `done` comes only once that is durable (but for run_unsynced()); destroying it
// writes what is waiting.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "edge/loop/worker.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

class StateWriter {
 public:
  // On another thread: holds what it needs by value (or shared).
  using Work = std::function<void(store::Transaction&)>;
  // On the loop; null where the work is durable. May be empty: a failure is then logged.
  using Done = std::function<void(std::exception_ptr)>;

  StateWriter(EventLoop& loop, store::Database& database);
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;
  ~StateWriter();

  void run(Work work, Done done = {});
  // For what is done again where a power cut has taken it back: `done` comes when it is written,
  // and it is durable with the next that run() was given. A killed agent finds it in any case.
  void run_unsynced(Work work, Done done = {});

 private:
  struct Piece {
    Work work;
    Done done;
    std::exception_ptr error;
    bool is_synced = true;
  };
  using Batch = std::vector<Piece>;

  void take(Piece piece);
  void start_batch();
  static void tell(Piece& piece, const std::exception_ptr& error);
  static void write(store::Database& database, Batch& batch);

  store::Database& database_;
  Batch waiting_;                   // for the transaction after the one in hand
  std::shared_ptr<Batch> writing_;  // shared with the worker, which has it until its end
  std::unique_ptr<Worker> worker_;
};

}  // namespace andon::edge
