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
#include <span>
#include <thread>
#include <vector>

#include "base/os/file.hpp"
#include "inspect/look/settings.hpp"
#include "inspect/model/model.hpp"
#include "inspect/outputs/part.hpp"
#include "inspect/source/frame.hpp"

namespace andon::inspect {

// A frame, what it is looked at with, and what came of it.
struct Job {
  Frame frame;
  // Shared with the frames beside it; the settings and the model of the moment it went in.
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Settings> settings;

  Inspection inspection;
  std::string message;        // the result message
  std::uint32_t content = 0;  // digest_of the file that was looked at; 0 where there is none
  std::optional<UploadReason> upload;
  std::shared_ptr<Part> part;  // whose picture it is, where the line is told of parts
  // It cannot be decoded, but was written just now: it is looked at again later, and neither
  // recorded nor told before.
  bool is_incomplete = false;
  bool is_shown = false;  // somebody looks on, and gets this one
};

struct PipelineOptions {
  int workers = 1;
  std::size_t frames_in_flight = 2;  // at least one
  std::size_t batch = 1;             // frames that a worker takes at once, where so many wait
  std::vector<int> cores;            // where given: that which each worker stays on, in turn
};

class Pipeline {
 public:
  // Called by worker 0 to workers - 1, each on a thread of its own, with one to `batch` frames of
  // the same model and settings, in their order. Must not throw.
  using Work = std::function<void(int worker, std::span<Job* const> jobs)>;

  Pipeline(PipelineOptions options, Work work);
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
  // Other workers from now on. Waits until everything that was put in is done; it stays to be
  // taken.
  void restart(PipelineOptions options);
  // Readable when take() may have something.
  [[nodiscard]] int fd() const { return done_event_.get(); }

 private:
  struct Slot {
    enum class State { waiting, busy, done } state = State::waiting;
    std::unique_ptr<Job> job;
  };
  void start();
  void stop();
  void run(int worker);
  void settle(int worker) const;
  void take_waiting(std::vector<Slot*>& slots);

  PipelineOptions options_;  // changed only while no worker runs
  Work work_;
  base::UniqueFd done_event_;
  std::size_t in_flight_ = 0;  // main's thread only
  std::mutex mutex_;           // guards those below
  std::deque<Slot> slots_;     // a reference lasts until its slot is taken from the front
  std::size_t waiting_ = 0;    // of the slots: the last ones
  std::size_t free_ = 0;       // workers without a frame
  bool is_stopped_ = false;
  std::condition_variable changed_;
  std::condition_variable done_;
  std::vector<std::thread> threads_;
};

}  // namespace andon::inspect
