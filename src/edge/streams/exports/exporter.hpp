// SPDX-License-Identifier: Apache-2.0
// Which export sends what, and when: batches by size and age, by priority (1 first; one in twenty
// goes to who has waited longest, so that nobody starves), in order within an export, again with
// growing pauses of up to five minutes for as long as it takes. Sending waits on a few background
// threads; all else happens on the thread of `loop`, to which this belongs.
//
// What was acknowledged is noted in a file before it counts, so that after a crash some of it may
// be sent again, and nothing is left out. Tasks of S3 executors tell of themselves in the status
// stream that their executor names; a task is done with one of Success, Failure and Canceled.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/streams/exports/export_cursor.hpp"
#include "edge/streams/exports/export_target.hpp"
#include "edge/streams/exports/s3_task.hpp"
#include "edge/streams/store/stream_store.hpp"

namespace andon::edge {

class Exporter {
 public:
  struct Parts {
    EventLoop& loop;
    StreamStore& store;
    const base::Clock& clock;
    const ExportWorld& world;
    std::size_t threads = 5;
    // A message was appended to a status stream.
    std::function<void(MessageStream&)> appended_status;
    // Tests: other targets.
    std::function<std::unique_ptr<ExportTarget>(const ExportConfig&, const fs::path& state_file)>
        make_target;
  };

  explicit Exporter(Parts parts);
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;
  // Tells what is being sent to end and waits for it.
  ~Exporter();

  // Whether the exports of `definition` can be; `old`: of the stream that it updates. Throws
  // StreamError.
  void check(const StreamDefinition& definition, MessageStream* old);
  // A stream is there, or its definition is another one.
  void take(MessageStream& stream);
  // Whether a deletion of the stream must leave tasks behind.
  [[nodiscard]] bool has_tasks(MessageStream& stream);
  // It was deleted; with Removed::retired its tasks go on, and the stream ends with the last one.
  void removed(std::uint64_t id, StreamStore::Removed how);
  void appended(const MessageStream& stream);

  struct Status {
    std::string identifier;
    ExportCursor cursor;
    std::string error;
  };
  [[nodiscard]] std::vector<Status> statuses(std::uint64_t id) const;

 private:
  struct Export {
    ExportConfig config;
    ExportCursor cursor;
    std::shared_ptr<ExportTarget> target;
    std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
    std::uint64_t generation = 0;
    bool is_in_flight = false;
    int failures = 0;
    LoopClock::Instant retry_at{};
    std::uint64_t served = 0;     // when it was last served, in turns
    std::int64_t announced = -1;  // the task that is said to be in progress
    std::int64_t oldest_ms = 0;   // when the message `oldest_of` came
    std::int64_t oldest_of = -1;
    std::string error;
  };
  struct Ready {
    Export* one = nullptr;
    MessageStream* stream = nullptr;
  };

  void schedule();
  void turn();
  [[nodiscard]] Worker* free_worker();
  [[nodiscard]] Ready choose(std::int64_t& wake_in_ms);
  // 0: it can go now; -1: there is nothing to send; else in how many milliseconds.
  [[nodiscard]] std::int64_t ready_in(Export& one, MessageStream& stream);
  void dispatch(const Ready& ready, Worker& worker);
  // What came of a batch; nothing where its export has another configuration or none by now.
  void finish(std::uint64_t id, std::uint64_t generation, const ExportBatch& batch,
              const std::optional<ExportOutcome>& outcome);
  void take_outcome(Export& one, MessageStream& stream, const ExportBatch& batch,
                    const ExportOutcome& outcome);
  void skip_lost(Export& one, MessageStream& stream, const std::string& why);
  [[nodiscard]] Export make_export(const MessageStream& stream, const ExportConfig& config,
                                   const ExportCursor& cursor);
  void remove_export(MessageStream& stream, Export& one);
  void cancel_tasks(MessageStream& stream, const Export& one, std::int64_t end,
                    const std::string& why);
  void tell(const Export& one, const TaskEvent& event, std::string_view task);
  void end_if_done(std::uint64_t id);
  [[nodiscard]] std::int64_t now_ms() const;

  Parts parts_;
  std::map<std::uint64_t, std::vector<std::unique_ptr<Export>>> exports_;  // by stream
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<bool> busy_;
  std::uint64_t last_generation_ = 0;
  std::uint64_t turns_ = 0;
  bool is_scheduled_ = false;
  EventLoop::TimerId timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
