// SPDX-License-Identifier: Apache-2.0
#include "store/sql/group_commit.hpp"

#include <array>
#include <chrono>
#include <future>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::store {
namespace {

constexpr std::array kBoundsSeconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                    0.05,   0.1,   0.25,   0.5,   1.0,  2.5};

}  // namespace

GroupCommit::Counts::Counts() : seconds(kBoundsSeconds) {}

GroupCommit::GroupCommit(Database& database, Limits limits)
    : database_(database), limits_(limits), thread_([this] { run(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void GroupCommit::submit(Work work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= limits_.queued) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "more than " + std::to_string(limits_.queued) +
                            " pieces of work wait to be stored; try again later");
    }
    queue_.push_back({std::move(work), std::move(done), nullptr});
  }
  changed_.notify_one();
}

void GroupCommit::write(const Work& work) {
  std::promise<void> finished;
  submit(work, [&finished](const std::exception_ptr& failure) {
    if (failure) {
      finished.set_exception(failure);
    } else {
      finished.set_value();
    }
  });
  finished.get_future().get();
}

GroupCommit::Counts GroupCommit::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void GroupCommit::run() {
  while (true) {
    std::deque<Piece> group;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      if (queue_.size() <= limits_.pieces) {
        group.swap(queue_);
      } else {
        for (std::size_t i = 0; i < limits_.pieces; ++i) {
          group.push_back(std::move(queue_.front()));
          queue_.pop_front();
        }
      }
    }
    const auto begun = std::chrono::steady_clock::now();
    commit(group);
    {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
      const std::lock_guard lock(mutex_);
      ++counts_.commits;
      counts_.pieces += group.size();
      counts_.seconds.observe(took.count());
    }
    for (Piece& piece : group) {
      piece.work = nullptr;
      if (!piece.done) continue;
      try {
        piece.done(piece.failure);
      } catch (const std::exception& error) {
        base::log_error("who was told of a commit failed", {{"error", std::string(error.what())}});
      }
    }
  }
}

void GroupCommit::commit(std::deque<Piece>& group) {
  try {
    database_.write([&group](Transaction& tx) {
      for (Piece& piece : group) {
        piece.failure = nullptr;
        tx.execute("SAVEPOINT piece");
        try {
          piece.work(tx);
        } catch (...) {
          piece.failure = std::current_exception();
          tx.execute("ROLLBACK TO SAVEPOINT piece");
        }
        tx.execute("RELEASE SAVEPOINT piece");
      }
    });
  } catch (...) {
    const auto failure = std::current_exception();
    for (Piece& piece : group) piece.failure = failure;
  }
}

}  // namespace andon::store
