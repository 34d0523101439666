// SPDX-License-Identifier: Apache-2.0
#include "edge/state/state_writer.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

// A long batch keeps the first in it waiting, and the write-ahead log growing.
constexpr std::size_t kLargestBatch = 512;

void log_failure(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& what) {
    base::log_error("a change of the agent's state has failed", {{"why", what.what()}});
  }
}

}  // namespace

StateWriter::StateWriter(EventLoop& loop, store::Database& database)
    : database_(database), worker_(std::make_unique<Worker>(loop)) {}

StateWriter::~StateWriter() {
  worker_.reset();  // waits for the batch in hand, if it has begun
  Batch rest;
  if (writing_) rest = std::move(*writing_);
  for (Piece& piece : waiting_) rest.push_back(std::move(piece));
  std::erase_if(rest, [](const Piece& piece) { return piece.work == nullptr; });
  if (rest.empty()) return;
  try {
    write(database_, rest);
  } catch (...) {
    log_failure(std::current_exception());
  }
}

void StateWriter::run(Work work, Done done) {
  take({std::move(work), std::move(done), nullptr, true});
}

void StateWriter::run_unsynced(Work work, Done done) {
  take({std::move(work), std::move(done), nullptr, false});
}

void StateWriter::take(Piece piece) {
  waiting_.push_back(std::move(piece));
  if (!writing_) start_batch();
}

void StateWriter::start_batch() {
  const std::size_t count = std::min(waiting_.size(), kLargestBatch);
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  writing_ = std::make_shared<Batch>(std::make_move_iterator(waiting_.begin()),
                                     std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  worker_->run([&database = database_, batch = writing_] { write(database, *batch); },
               [this](const std::exception_ptr& failed) {
                 const std::shared_ptr<Batch> batch = std::exchange(writing_, nullptr);
                 // The next sync begins while the ends of this one are told.
                 if (!waiting_.empty()) start_batch();
                 for (Piece& piece : *batch) tell(piece, piece.error ? piece.error : failed);
               });
}

void StateWriter::tell(Piece& piece, const std::exception_ptr& error) {
  if (!piece.done) {
    if (error) log_failure(error);
    return;
  }
  try {
    piece.done(error);
  } catch (const base::Error&) {
    log_failure(std::current_exception());  // the others' ends are told all the same
  }
}

// A piece that fails takes nothing of the others with it; a commit that fails takes all.
void StateWriter::write(store::Database& database, Batch& batch) {
  const auto write_all = [&batch](store::Transaction& transaction) {
    if (batch.size() == 1) return batch.front().work(transaction);
    for (Piece& piece : batch) {
      transaction.execute("SAVEPOINT piece");
      try {
        piece.work(transaction);
      } catch (...) {
        piece.error = std::current_exception();
        transaction.execute("ROLLBACK TO piece");
      }
      transaction.execute("RELEASE piece");
    }
  };
  if (std::ranges::any_of(batch, &Piece::is_synced)) {
    database.write(write_all);
  } else {
    database.write_unsynced(write_all);
  }
  for (Piece& piece : batch) piece.work = nullptr;  // done: see the destructor
}

}  // namespace andon::edge
