// SPDX-License-Identifier: Apache-2.0
#include "control/logs/log_writer.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/utf8.hpp"

namespace andon::control {
namespace {

constexpr std::size_t kMostLine = Logs::kBatchBytes - Logs::kLineBytes;
constexpr std::size_t kBatchLines = 1000;
constexpr int kAttempts = 20;

std::size_t size_of(const LogLine& line) {
  return line.message.size() + Logs::kLineBytes;
}

}  // namespace

LogWriter::LogWriter(Logs& logs, Limits limits) : logs_(logs), limits_(limits) {
  worker_.emplace(
      "logs", [this] { return step(); }, limits.pause);
}

LogWriter::~LogWriter() {
  worker_.reset();
  // What cannot be written now is lost with the process, as in a crash.
  try {
    while (step()) {
    }
  } catch (const std::exception& error) {
    base::log_warning("logs were not written at the end", {{"error", std::string(error.what())}});
  }
}

void LogWriter::write(const std::string& group, const std::string& stream, LogLine line) {
  if (line.message.empty()) return;
  if (!base::is_utf8(line.message)) line.message = base::to_valid_utf8(line.message);
  if (line.message.size() > kMostLine) {
    line.message = std::string(base::utf8_prefix(line.message, kMostLine));
  }
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ + size_of(line) > limits_.queued_bytes) {
      ++missed_;
      ++counts_.dropped;
      return;
    }
    const auto add = [&](LogLine one) {
      queued_bytes_ += size_of(one);
      ++taken_;
      queue_.push_back({group, stream, std::move(one)});
    };
    if (missed_ > 0) {
      add({line.time, "[andon: " + std::to_string(missed_) +
                          " lines of this or other streams were dropped here; they came faster "
                          "than they could be stored]"});
      missed_ = 0;
    }
    add(std::move(line));
  }
  worker_->wake();
}

void LogWriter::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = taken_;
  changed_.wait(lock, [&] { return settled_ >= wanted; });
}

LogWriter::Counts LogWriter::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

// The lines at the front that go into the same stream.
LogWriter::Batch LogWriter::next_batch() {
  const std::lock_guard lock(mutex_);
  Batch batch;
  std::size_t bytes = 0;
  for (const Queued& queued : queue_) {
    const bool is_first = batch.lines.empty();
    if (is_first) {
      batch.group = queued.group;
      batch.stream = queued.stream;
    }
    const LogLine& line = queued.line;
    bytes += size_of(line);
    if (queued.group != batch.group || queued.stream != batch.stream || bytes > Logs::kBatchBytes ||
        batch.lines.size() == kBatchLines ||
        (!is_first && line.time - batch.lines.front().time > std::chrono::hours(24))) {
      break;
    }
    batch.lines.push_back(line);
    // A clock that was set back must not make a batch of several.
    if (!is_first) {
      LogLine& last = batch.lines.back();
      last.time = std::max(last.time, batch.lines[batch.lines.size() - 2].time);
    }
  }
  return batch;
}

void LogWriter::settle(std::size_t lines, bool is_written) {
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < lines; ++i) {
      queued_bytes_ -= size_of(queue_.front().line);
      queue_.pop_front();
    }
    settled_ += lines;
    (is_written ? counts_.written : counts_.dropped) += lines;
  }
  changed_.notify_all();
}

void LogWriter::store(const Batch& batch) {
  try {
    (void)logs_.put(batch.group, batch.stream, batch.lines);
    return;
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::not_found || !logs_.find_group(batch.group)) throw;
  }
  try {
    logs_.create_stream(batch.group, batch.stream);
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::already_exists) throw;
  }
  (void)logs_.put(batch.group, batch.stream, batch.lines);
}

bool LogWriter::step() {
  const Batch batch = next_batch();
  if (batch.lines.empty()) return false;
  bool is_written = true;
  try {
    store(batch);
  } catch (const base::Error& error) {
    // Another attempt is of no use where the group is gone; where it might be, the lines behind
    // these do not wait for ever.
    const bool is_lasting = error.code() == base::ErrorCode::not_found ||
                            error.code() == base::ErrorCode::invalid_argument;
    if (!is_lasting && ++attempts_ < kAttempts) throw;
    is_written = false;
  }
  attempts_ = 0;
  settle(batch.lines.size(), is_written);
  return true;
}

}  // namespace andon::control
