// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/exporter.hpp"

#include <algorithm>

#include "base/log/log.hpp"
#include "base/os/blocking.hpp"
#include "edge/streams/exports/mqtt_export.hpp"
#include "edge/streams/exports/object_export.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostBatchBytes = 4U << 20U;
constexpr std::int64_t kMostBatch = 500;
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{300'000};
constexpr std::uint64_t kFairTurn = 20;
constexpr std::int64_t kLowestPriority = 11;
constexpr std::size_t kCancelAtOnce = 100;

milliseconds pause_after(int failures) {
  const int doubled = std::min(failures - 1, 10);
  return std::min(kFirstPause * (1 << doubled), kLongestPause);
}

}  // namespace

Exporter::Exporter(Parts parts) : parts_(std::move(parts)) {
  if (!parts_.make_target) {
    parts_.make_target = [&world = parts_.world](const ExportConfig& config,
                                                 const fs::path& state_file) {
      return make_export_target(config, world, state_file);
    };
  }
  for (std::size_t i = 0; i < parts_.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(parts_.loop));
  }
  busy_.resize(workers_.size());
}

Exporter::~Exporter() {
  *alive_ = false;
  parts_.loop.cancel(timer_);
  for (const auto& [id, list] : exports_) {
    for (const auto& one : list) *one->cancelled = true;
  }
}

std::int64_t Exporter::now_ms() const {
  return base::to_epoch_millis(parts_.clock.now());
}

void Exporter::check(const StreamDefinition& definition, MessageStream* old) {
  const std::int64_t newest = old == nullptr ? -1 : old->newest();
  for (const ExportConfig& config : definition.exports) {
    const ExportConfig* before = nullptr;
    if (old != nullptr) {
      const auto& configs = old->definition().exports;
      const auto found = std::ranges::find(configs, config.identifier, &ExportConfig::identifier);
      if (found != configs.end()) before = &*found;
    }
    const bool is_new_start = before == nullptr || before->start_sequence != config.start_sequence;
    if (is_new_start && config.start_sequence != 0 && config.start_sequence >= newest) {
      throw StreamError(StreamStatus::invalid_request,
                        "startSequenceNumber of export " + config.identifier +
                            " must be below the newest message's (" + std::to_string(newest) + ")");
    }
    if (const auto* http = std::get_if<HttpExportSettings>(&config.settings)) {
      if (http->uri.starts_with("mqtt")) static_cast<void>(read_mqtt_address(http->uri));
      if (http->uri.starts_with("s3+")) static_cast<void>(read_object_address(http->uri));
      continue;
    }
    const auto& status = std::get<S3ExportSettings>(config.settings).status;
    if (!status) continue;
    if (status->stream == definition.name ||
        parts_.store.find(std::string_view(status->stream)) == nullptr) {
      throw StreamError(StreamStatus::invalid_request,
                        "the status stream '" + status->stream + "' of export " +
                            config.identifier + " must be another stream that exists already");
    }
  }
}

Exporter::Export Exporter::make_export(const MessageStream& stream, const ExportConfig& config,
                                       const ExportCursor& cursor) {
  Export one;
  one.config = config;
  one.cursor = cursor;
  one.generation = ++last_generation_;
  const bool is_file = !stream.definition().is_in_memory;
  one.target = parts_.make_target(
      config, is_file ? export_file(stream.directory(), config.identifier, "upload") : fs::path());
  return one;
}

void Exporter::take(MessageStream& stream) {
  std::vector<std::unique_ptr<Export>> before;
  const auto known = exports_.find(stream.id());
  if (known != exports_.end()) before = std::exchange(known->second, {});
  std::vector<std::unique_ptr<Export>> now;
  const bool is_file = !stream.definition().is_in_memory;
  for (const ExportConfig& config : stream.definition().exports) {
    const auto old = std::ranges::find_if(before, [&](const auto& one) {
      return one && one->config.identifier == config.identifier;
    });
    if (old != before.end() && (*old)->config == config) {
      now.push_back(std::move(*old));
      continue;
    }
    ExportCursor cursor{.next = config.start_sequence, .start = config.start_sequence};
    std::optional<ExportCursor> kept;
    std::uint64_t still_at_work = 0;
    if (old != before.end()) {
      kept = (*old)->cursor;
      *(*old)->cancelled = true;
      if ((*old)->is_in_flight) still_at_work = (*old)->generation;
      old->reset();
    } else if (is_file) {
      kept = read_cursor(export_file(stream.directory(), config.identifier, "cursor"));
    }
    if (kept) {
      cursor = *kept;
      if (kept->start != config.start_sequence) cursor.next = config.start_sequence;
      cursor.start = config.start_sequence;
    }
    now.push_back(std::make_unique<Export>(make_export(stream, config, cursor)));
    if (still_at_work != 0) {  // it begins when what was begun before has ended
      now.back()->generation = still_at_work;
      now.back()->is_in_flight = true;
    }
  }
  for (const auto& one : before) {
    if (one) remove_export(stream, *one);
  }
  if (now.empty()) {
    exports_.erase(stream.id());
    return;
  }
  exports_[stream.id()] = std::move(now);
  stream.on_drop([this](MessageStream& dropping, std::int64_t first_kept) {
    const auto found = exports_.find(dropping.id());
    if (found == exports_.end()) return;
    for (const auto& one : found->second) {
      if (one->config.is_s3() && one->cursor.next < first_kept) {
        cancel_tasks(dropping, *one, first_kept, "the stream has dropped the task");
        one->cursor.next = std::max(one->cursor.next, first_kept);
      }
    }
  });
  schedule();
}

void Exporter::remove_export(MessageStream& stream, Export& one) {
  *one.cancelled = true;
  if (one.config.is_s3()) {
    cancel_tasks(stream, one, stream.next(), "the task's executor was removed");
  }
  if (stream.definition().is_in_memory) return;
  for (const char* kind : {"cursor", "upload"}) {
    std::error_code ignored;
    fs::remove(export_file(stream.directory(), one.config.identifier, kind), ignored);
  }
}

bool Exporter::has_tasks(MessageStream& stream) {
  const auto found = exports_.find(stream.id());
  if (found == exports_.end()) return false;
  return std::ranges::any_of(found->second, [&](const auto& one) {
    const bool waits = std::max(one->cursor.next, stream.oldest()) < stream.next();
    return one->config.is_s3() && !one->config.is_disabled && waits;
  });
}

void Exporter::removed(std::uint64_t id, StreamStore::Removed how) {
  const auto found = exports_.find(id);
  if (found == exports_.end()) return;
  for (const auto& one : found->second) {
    const bool goes_on =
        how == StreamStore::Removed::retired && one->config.is_s3() && !one->config.is_disabled;
    if (!goes_on) *one->cancelled = true;
  }
  std::erase_if(found->second, [](const auto& one) { return one->cancelled->load(); });
  if (found->second.empty()) exports_.erase(found);
  if (how == StreamStore::Removed::retired) end_if_done(id);
}

void Exporter::end_if_done(std::uint64_t id) {
  MessageStream* const stream = parts_.store.find(id);
  if (stream == nullptr || !parts_.store.is_retired(id) || has_tasks(*stream)) return;
  const auto found = exports_.find(id);
  if (found != exports_.end()) {
    for (const auto& one : found->second) {
      if (one->is_in_flight) return;
    }
    exports_.erase(found);
  }
  parts_.store.release(id);
}

void Exporter::appended(const MessageStream& stream) {
  if (exports_.contains(stream.id())) schedule();
}

std::vector<Exporter::Status> Exporter::statuses(std::uint64_t id) const {
  std::vector<Status> statuses;
  const auto found = exports_.find(id);
  if (found == exports_.end()) return statuses;
  const std::string budget =
      parts_.world.waits_for_budget ? parts_.world.waits_for_budget() : std::string();
  for (const auto& one : found->second) {
    const bool waits = one->is_in_flight && !budget.empty();
    statuses.push_back({one->config.identifier, one->cursor, waits ? budget : one->error});
  }
  return statuses;
}

void Exporter::schedule() {
  if (std::exchange(is_scheduled_, true)) return;
  parts_.loop.post([this, alive = alive_] {
    if (!*alive) return;
    is_scheduled_ = false;
    turn();
  });
}

Worker* Exporter::free_worker() {
  const auto found = std::ranges::find(busy_, false);
  if (found == busy_.end()) return nullptr;
  return workers_[static_cast<std::size_t>(found - busy_.begin())].get();
}

void Exporter::turn() {
  const base::BlockingAllowed allowed;
  parts_.loop.cancel(std::exchange(timer_, 0));
  while (Worker* const worker = free_worker()) {
    std::int64_t wake_in_ms = -1;
    const Ready ready = choose(wake_in_ms);
    if (ready.one == nullptr) {
      if (wake_in_ms >= 0) {
        timer_ = parts_.loop.after(milliseconds(wake_in_ms), [this] {
          timer_ = 0;
          turn();
        });
      }
      return;
    }
    dispatch(ready, *worker);
  }
}

Exporter::Ready Exporter::choose(std::int64_t& wake_in_ms) {
  Ready best;
  const bool is_fair = turns_ % kFairTurn == kFairTurn - 1;
  const auto rank = [&](const Export& one) {
    const std::int64_t priority = one.config.priority.value_or(kLowestPriority);
    return std::pair(is_fair ? 0 : priority, one.served);
  };
  for (const auto& [id, list] : exports_) {
    MessageStream* const stream = parts_.store.find(id);
    if (stream == nullptr) continue;
    for (const auto& one : list) {
      const std::int64_t in_ms = ready_in(*one, *stream);
      if (in_ms > 0 && (wake_in_ms < 0 || in_ms < wake_in_ms)) wake_in_ms = in_ms;
      if (in_ms == 0 && (best.one == nullptr || rank(*one) < rank(*best.one))) {
        best = {one.get(), stream};
      }
    }
  }
  return best;
}

std::int64_t Exporter::ready_in(Export& one, MessageStream& stream) {
  if (one.is_in_flight || one.config.is_disabled) return -1;
  const std::int64_t next = std::max(one.cursor.next, stream.oldest());
  if (next >= stream.next()) return -1;
  const auto now = parts_.loop.now();
  if (one.failures > 0 && now < one.retry_at) {
    return std::chrono::ceil<milliseconds>(one.retry_at - now).count();
  }
  if (!one.config.batch_interval_ms) return 0;
  if (stream.next() - next >= one.config.batch_size.value_or(kMostBatch)) return 0;
  if (one.oldest_of != next) {
    try {
      const auto first = stream.read(next, 1, 0);
      one.oldest_ms = first.empty() ? now_ms() : first.front().ingest_ms;
    } catch (const base::Error&) {
      return 0;  // it is dealt with where it is sent
    }
    one.oldest_of = next;
  }
  return std::clamp<std::int64_t>(one.oldest_ms + *one.config.batch_interval_ms - now_ms(), 0,
                                  *one.config.batch_interval_ms);
}

void Exporter::skip_lost(Export& one, MessageStream& stream, const std::string& why) {
  base::log_error(
      "an export leaves out messages that cannot be read",
      {{"stream", stream.definition().name}, {"export", one.config.identifier}, {"why", why}});
  one.error = why;
  const std::int64_t from = std::max(one.cursor.next, stream.oldest());
  one.cursor.next = stream.next();
  try {
    one.cursor.next = std::max(from + 1, stream.first_whole(from));
  } catch (const base::Error& error) {
    one.error = error.message();
  }
}

void Exporter::dispatch(const Ready& ready, Worker& worker) {
  Export& one = *ready.one;
  MessageStream& stream = *ready.stream;
  const std::uint64_t id = stream.id();
  one.served = ++turns_;
  auto batch = std::make_shared<ExportBatch>();
  batch->stream = stream.definition().name;
  const std::int64_t most = one.config.is_s3() ? 1 : one.config.batch_size.value_or(kMostBatch);
  try {
    batch->messages = stream.read(one.cursor.next, static_cast<std::size_t>(most), kMostBatchBytes);
  } catch (const base::Error& error) {
    skip_lost(one, stream, error.message());
    return;
  }
  if (batch->messages.empty()) {
    one.cursor.next = stream.next();  // numbers that were never given
    return;
  }
  if (one.config.is_s3() && one.announced != batch->messages.front().sequence) {
    const StreamMessage& task = batch->messages.front();
    one.announced = task.sequence;
    tell(one,
         {TaskStatus::in_progress, "the upload begins", batch->stream, one.config.identifier,
          task.sequence},
         task.payload);
  }
  one.cursor.last_attempt_ms = now_ms();
  one.is_in_flight = true;
  const auto slot = static_cast<std::size_t>(
      std::ranges::find(workers_, &worker, &std::unique_ptr<Worker>::get) - workers_.begin());
  busy_[slot] = true;
  const auto outcome = std::make_shared<ExportOutcome>();
  const fs::path file = stream.definition().is_in_memory
                            ? fs::path()
                            : export_file(stream.directory(), one.config.identifier, "cursor");
  worker.run(
      [target = one.target, cancelled = one.cancelled, cursor = one.cursor, batch, outcome,
       file]() mutable {
        *outcome = target->send(*batch, *cancelled);
        if (*cancelled || file.empty()) return;
        const std::size_t over = outcome->done + outcome->skipped;
        if (over == 0) return;
        cursor.next = batch->messages.at(over - 1).sequence + 1;
        for (std::size_t i = 0; i < outcome->done; ++i) {
          cursor.bytes += static_cast<std::int64_t>(batch->messages[i].payload.size());
        }
        cursor.messages += static_cast<std::int64_t>(outcome->done);
        write_cursor(file, cursor);
      },
      [this, alive = alive_, id, generation = one.generation, cancelled = one.cancelled, batch,
       outcome, slot](const std::exception_ptr& error) {
        if (!*alive) return;
        const base::BlockingAllowed allowed;
        busy_[slot] = false;
        if (error) {
          base::log_error(
              "the state of an export cannot be written: after a restart some messages "
              "are exported again",
              {{"stream", batch->stream}});
        }
        finish(id, generation, *batch,
               *cancelled ? std::nullopt : std::optional<ExportOutcome>(*outcome));
        schedule();
      });
}

void Exporter::finish(std::uint64_t id, std::uint64_t generation, const ExportBatch& batch,
                      const std::optional<ExportOutcome>& outcome) {
  const auto found = exports_.find(id);
  MessageStream* const stream = parts_.store.find(id);
  if (found != exports_.end() && stream != nullptr) {
    for (const auto& one : found->second) {
      if (one->generation != generation) continue;
      one->is_in_flight = false;
      if (outcome) take_outcome(*one, *stream, batch, *outcome);
      break;
    }
  }
  end_if_done(id);
}

void Exporter::take_outcome(Export& one, MessageStream& stream, const ExportBatch& batch,
                            const ExportOutcome& outcome) {
  const std::size_t over = outcome.done + outcome.skipped;
  if (over > 0) {
    one.cursor.next = std::max(one.cursor.next, batch.messages.at(over - 1).sequence + 1);
    one.cursor.messages += static_cast<std::int64_t>(outcome.done);
    for (std::size_t i = 0; i < outcome.done; ++i) {
      one.cursor.bytes += static_cast<std::int64_t>(batch.messages[i].payload.size());
    }
  }
  if (!outcome.error.empty()) one.error = outcome.error;
  const std::string_view task = batch.messages.front().payload;
  TaskEvent event{TaskStatus::success, "the file was uploaded", batch.stream, one.config.identifier,
                  batch.messages.front().sequence};
  switch (outcome.kind) {
    case ExportOutcome::Kind::sent:
      one.failures = 0;
      break;
    case ExportOutcome::Kind::refused:
      one.failures = 0;
      base::log_warning("a message was refused and is not exported",
                        {{"stream", stream.definition().name},
                         {"export", one.config.identifier},
                         {"why", outcome.error}});
      event.status = TaskStatus::failure;
      event.message = outcome.error;
      break;
    case ExportOutcome::Kind::retry:
      ++one.failures;
      one.retry_at = parts_.loop.now() + pause_after(one.failures);
      event.status = TaskStatus::warning;
      event.message = outcome.error;
      if (one.failures > 1) return;
      base::log_warning("an export failed and is tried again",
                        {{"stream", stream.definition().name},
                         {"export", one.config.identifier},
                         {"why", outcome.error}});
      break;
  }
  if (one.config.is_s3()) tell(one, event, task);
}

void Exporter::cancel_tasks(MessageStream& stream, const Export& one, std::int64_t end,
                            const std::string& why) {
  if (!std::get<S3ExportSettings>(one.config.settings).status) return;
  try {
    std::int64_t next = std::max(one.cursor.next, stream.oldest());
    while (next < end) {
      const auto tasks = stream.read(next, kCancelAtOnce, kMostBatchBytes);
      if (tasks.empty()) return;
      for (const StreamMessage& task : tasks) {
        if (task.sequence >= end) return;
        tell(one,
             {TaskStatus::canceled, why, stream.definition().name, one.config.identifier,
              task.sequence},
             task.payload);
      }
      next = tasks.back().sequence + 1;
    }
  } catch (const base::Error& error) {
    base::log_warning("canceled tasks cannot be told of", {{"why", error.message()}});
  }
}

void Exporter::tell(const Export& one, const TaskEvent& event, std::string_view task) {
  const auto& status = std::get<S3ExportSettings>(one.config.settings).status;
  if (!status || level_of(event.status) > status->level) return;
  MessageStream* const stream = parts_.store.find(status->stream);
  if (stream == nullptr) return;
  base::json::object document;
  try {
    document = read_s3_task(task).document;
  } catch (const base::Error&) {
    document = {};
  }
  try {
    stream->append(status_message(event, document, parts_.clock.now()), now_ms());
    if (stream->definition().flush_on_write) stream->flush();
  } catch (const base::Error& error) {
    base::log_warning("a task's status cannot be told",
                      {{"stream", status->stream}, {"why", error.message()}});
    return;
  }
  appended(*stream);
  if (parts_.appended_status) parts_.appended_status(*stream);
}

}  // namespace andon::edge
