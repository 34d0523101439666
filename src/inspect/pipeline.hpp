// SPDX-License-Identifier: Apache-2.0
// Frames in flight: a bounded queue, workers that look at them side by side, and results in the
// order in which frames went in, whichever worker was faster. One thread (main's) puts in and takes
// out; the workers are the pipeline's own. Nothing is dropped here: where there is no room, the
// source waits or drops and counts.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "inspect/frame.hpp"
#include "inspect/model.hpp"
#include "inspect/settings.hpp"

namespace andon::inspect {

// A frame, what it is looked at with, and what came of it.
struct Job {
  Frame frame;
  // Shared with the frames beside it; the settings and the model of the moment it went in.
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Settings> settings;

  Inspection inspection;
  std::string message;  // the result message
  std::optional<UploadReason> upload;
};

struct PipelineOptions {
  int workers = 1;
  std::size_t frames_in_flight = 2;  // at least one
  std::vector<int> cores;            // where given: that which each worker stays on, in turn
};

class Pipeline {
 public:
  // Called by worker 0 to workers - 1, each on a thread of its own. Must not throw.
  using Work = std::function<void(int worker, Job& job)>;

  Pipeline(const PipelineOptions& options, Work work);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  // Lets the workers end what they have in hand; the rest is not looked at.
  ~Pipeline();

  [[nodiscard]] bool has_room() const { return in_flight_ < options_.frames_in_flight; }
  [[nodiscard]] bool is_empty() const { return in_flight_ == 0; }
  // Only where has_room().
  void submit(std::unique_ptr<Job> job);
  // The next in order if it is done; else null.
  [[nodiscard]] std::unique_ptr<Job> take();
  // Until everything that was put in is done.
  void wait_until_done();
  // Readable when take() may have something.
  [[nodiscard]] int fd() const { return done_event_.get(); }

 private:
  struct Slot {
    enum class State { waiting, busy, done } state = State::waiting;
    std::unique_ptr<Job> job;
  };
  void run(int worker);
  void settle(int worker) const;

  PipelineOptions options_;
  Work work_;
  base::UniqueFd done_event_;
  std::size_t in_flight_ = 0;  // main's thread only
  std::mutex mutex_;           // guards the two below
  std::deque<Slot> slots_;     // a reference lasts until its slot is taken from the front
  bool is_stopped_ = false;
  std::condition_variable changed_;
  std::condition_variable done_;
  std::vector<std::thread> threads_;
};

}  // namespace andon::inspect
