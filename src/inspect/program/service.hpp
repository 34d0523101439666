// SPDX-License-Identifier: Apache-2.0
// The main loop: takes frames from the source into the pipeline, has what comes out recorded and
// published in order, follows changes of the configuration and of the model, and ends after the
// frames in hand when asked to. Runs on main's thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "inspect/look/pipeline.hpp"
#include "inspect/look/settings.hpp"
#include "inspect/model/idle_tuner.hpp"
#include "inspect/model/model_loader.hpp"
#include "inspect/outputs/line_outputs.hpp"
#include "inspect/program/events.hpp"
#include "inspect/program/recorder.hpp"
#include "inspect/source/source.hpp"
#include "inspect/trigger/part_queue.hpp"

namespace andon::inspect {

// Ends when each picture that is there has its result; or goes on for as long as something comes.
enum class Mode { watch, once };

// What the service asks of the program around it, always on main's thread.
class ServiceOwner {
 public:
  ServiceOwner() = default;
  ServiceOwner(const ServiceOwner&) = delete;
  ServiceOwner& operator=(const ServiceOwner&) = delete;
  virtual ~ServiceOwner() = default;

  // At the start and after each nudge of Events; what it throws is fatal at the start, and later
  // only logged: the settings then stay as they were.
  [[nodiscard]] virtual Settings read_settings() = 0;
  // Before settings are used, and again with those before where they cannot be. Throws what keeps
  // them from being used.
  virtual void apply(const Settings&) {}
  [[nodiscard]] virtual std::unique_ptr<Source> open_source(const Settings& settings) = 0;
  virtual void on_result(const Job&) {}
  // No part is triggered after it.
  virtual void stop_triggers() {}
  // Before the first frame is looked at with a model that was loaded.
  virtual void adopt(const Model& model) = 0;
  virtual void on_tuned(const vision::Tuning& tuning) = 0;
};

// Parts that main owns and that outlive the service.
struct ServiceParts {
  Events& events;
  Pipeline& pipeline;
  Recorder& recorder;
  ModelLoader& models;
  Metrics& metrics;
  const base::Clock& clock;
  ServiceOwner& owner;
  IdleTuner* tuner = nullptr;      // or none
  LineOutputs* outputs = nullptr;  // or none: nobody is told
  PartQueue* triggered = nullptr;  // where there are outputs
  Mode mode = Mode::watch;
};

class Service {
 public:
  explicit Service(ServiceParts parts);

  struct Counts {
    std::uint64_t inspected = 0;
    std::uint64_t known = 0;
    bool was_stopped = false;
  };
  // Returns when it is done (Mode::once, or a source that ends) or was asked to stop. In
  // Mode::once throws what keeps results from being recorded or published for longer than
  // kPatience.
  Counts run();

  static constexpr std::chrono::milliseconds kPatience{5'000};
  // Results that wait for the outputs' outcomes hold a picture each.
  static constexpr std::size_t kMostAwaiting = 16;

 private:
  void follow_settings();
  void use_settings(const Settings& changed);
  void follow_model();
  void release_older_model();
  void follow_tuning();
  void fill();
  [[nodiscard]] bool is_in_flight(const PictureId& picture) const;
  void keep_pictured_parts();
  [[nodiscard]] std::optional<Frame> next_frame(Frame&& spare);
  [[nodiscard]] std::shared_ptr<Part> part_of(Frame& frame);
  void leave(Frame& frame) const;
  void drain();
  void record_told();
  void record(const Job& job);
  void publish();
  // Tries until `step` succeeds or the program is to end; false where it is to end.
  bool insist(std::string_view what, const std::function<void()>& step);
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] std::unique_ptr<Job> spare_job();
  void recycle(std::unique_ptr<Job> job);
  void wait_for_work();
  void rest();
  // Follows the settings if they changed meanwhile; false when the program is to end.
  [[nodiscard]] bool wait(std::chrono::milliseconds time);
  [[nodiscard]] std::optional<std::chrono::milliseconds> wait_limit() const;
  void count_source();
  void end_parts();
  void finish();

  ServiceParts parts_;
  std::shared_ptr<const Settings> settings_;
  std::unique_ptr<Source> source_;
  std::deque<Frame> left_;  // of a source before: parts wait for their results
  std::deque<PictureId> in_flight_;
  std::deque<std::unique_ptr<Job>> awaiting_;  // looked at; the outputs are on their way
  std::map<std::string, std::shared_ptr<Part>> incomplete_;  // by path: looked at again later
  std::vector<std::unique_ptr<Job>> spare_jobs_;
  Counts counts_;
  Source::Counts before_;  // of sources that were closed
  std::weak_ptr<const Model> older_model_;
  bool has_older_model_ = false;
  bool has_unused_memory_ = true;
  std::chrono::steady_clock::time_point idle_since_{};
  bool was_drained_ = false;
  bool is_stopping_ = false;
};

}  // namespace andon::inspect
