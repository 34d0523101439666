// SPDX-License-Identifier: Apache-2.0
// The main loop: takes frames from the source into the pipeline, has what comes out recorded and
// published in order, follows changes of the configuration and of the model, and ends after the
// frames in hand when asked to. Runs on main's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "inspect/events.hpp"
#include "inspect/idle_tuner.hpp"
#include "inspect/model_loader.hpp"
#include "inspect/pipeline.hpp"
#include "inspect/recorder.hpp"
#include "inspect/settings.hpp"
#include "inspect/source.hpp"

namespace andon::inspect {

// Ends when each picture that is there has its result; or goes on for as long as something comes.
enum class Mode { watch, once };

// Parts that main owns and that outlive the service.
struct ServiceParts {
  Events& events;
  Pipeline& pipeline;
  Recorder& recorder;
  ModelLoader& models;
  Metrics& metrics;
  const base::Clock& clock;
  // Called at the start and after each nudge of `events`; what it throws is fatal at the start,
  // and later only logged: the settings then stay as they were.
  std::function<Settings()> read_settings;
  std::function<std::unique_ptr<Source>(const Settings&)> open_source;
  std::function<void()> on_result = [] {};
  // Before the first frame is looked at with a model that was loaded.
  std::function<void(const Model&)> adopt = [](const Model&) {};
  IdleTuner* tuner = nullptr;  // or none
  std::function<void(const vision::Tuning&)> on_tuned = [](const vision::Tuning&) {};
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

 private:
  void follow_settings();
  void follow_model();
  void release_older_model();
  void follow_tuning();
  void fill();
  [[nodiscard]] std::optional<Frame> next_frame();
  [[nodiscard]] bool is_in_flight(const PictureId& picture) const;
  void drain();
  void record(const Job& job);
  void publish();
  // Tries until `step` succeeds or the program is to end; false where it is to end.
  bool insist(std::string_view what, const std::function<void()>& step);
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] std::unique_ptr<Job> spare_job();
  void recycle(std::unique_ptr<Job> job);
  void wait_for_work();
  // Follows the settings if they changed meanwhile; false when the program is to end.
  [[nodiscard]] bool wait(std::chrono::milliseconds time);
  [[nodiscard]] std::optional<std::chrono::milliseconds> wait_limit() const;
  void count_source();
  void finish();

  ServiceParts parts_;
  std::shared_ptr<const Settings> settings_;
  std::unique_ptr<Source> source_;
  std::deque<PictureId> in_flight_;
  std::vector<std::unique_ptr<Job>> spare_jobs_;
  Counts counts_;
  Source::Counts before_;  // of sources that were closed
  std::weak_ptr<const Model> older_model_;
  bool has_older_model_ = false;
  bool has_unused_memory_ = true;
  bool is_stopping_ = false;
};

}  // namespace andon::inspect
