// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/program.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "inspect/live/live_frames.hpp"
#include "inspect/live/live_subscription.hpp"
#include "inspect/look/inspector.hpp"
#include "inspect/program/events.hpp"
#include "inspect/program/open_source.hpp"
#include "inspect/program/progress.hpp"
#include "inspect/program/service.hpp"
#include "inspect/program/spread.hpp"
#include "inspect/results/agent.hpp"
#include "inspect/results/configuration_check.hpp"
#include "inspect/results/metrics_server.hpp"
#include "inspect/trigger/trigger_input.hpp"
#include "inspect/uploads/bucket.hpp"
#include "inspect/uploads/link_share.hpp"
#include "inspect/uploads/uploader.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;

namespace {

// The settings of the moment, for the threads that publish and upload.
class CurrentSettings {
 public:
  void set(const Settings& settings) {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
  }
  [[nodiscard]] Settings get() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

 private:
  mutable std::mutex mutex_;
  Settings settings_;
};

Options completed(Options options) {
  complete(options, has_agent());
  return options;
}

std::unique_ptr<IpcAgent> connect(const Events& events) {
  if (!has_agent()) return nullptr;
  return std::make_unique<IpcAgent>(
      AgentCallbacks{.on_configuration_change = [&events] { events.nudge(); },
                     .on_disconnect = [] { kill(getpid(), SIGTERM); }});
}

Settings settings_now(const Options& options, Agent* agent) {
  const Settings settings = default_settings(options);
  if (agent != nullptr) return read_settings(agent->configuration(), settings);
  if (options.settings.empty()) return settings;
  const std::string text = base::read_file(options.settings);
  return read_settings(base::parse_json(text, options.settings.string()), settings);
}

Settings settings_to_start_with(const Options& options, Agent* agent) {
  Settings settings = settings_now(options, agent);
  if (settings.model.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "there is no model: give --model FILE, or 'model' in the configuration");
  }
  return settings;
}

SourceKind kind_of(const std::vector<std::string>& sources) {
  return is_camera(type_of(sources)) ? SourceKind::live : SourceKind::files;
}

PipelineOptions pipeline_options(const Parallelism& parallelism, SourceKind kind) {
  return {.workers = parallelism.workers,
          .frames_in_flight = frames_in_flight(kind, parallelism),
          .batch = parallelism.batch,
          .cores = parallelism.cores};
}

// Outputs that publish: at once or not at all, since what came later would be of another part.
DriverTools driver_tools(const Options& options, IpcAgent* agent) {
  DriverTools tools{.thing = options.thing, .publish = {}};
  if (agent == nullptr) return tools;
  tools.publish = [agent](const MqttOutput& to, const std::string& message) {
    if (to.is_local) {
      publish_on_device(*agent, to.topic, base::parse_json(message, "message").as_object());
    } else {
      agent->client().publish_to_iot_core(to.topic, message, wire::IpcClient::Qos::at_most_once);
    }
  };
  return tools;
}

InspectorOptions inspector_options(const Options& options, int workers, Uploads uploads) {
  InspectorOptions result{.workers = workers,
                          .thing = options.thing,
                          .component = options.component,
                          .uploads = uploads,
                          .annotations = {},
                          .decoding = options.has_scaled_decoding
                                          ? InspectorOptions::Decoding::scaled
                                          : InspectorOptions::Decoding::whole,
                          .raw_format = std::nullopt};
  if (!options.raw_format.empty()) {
    result.raw_format = vision::parse_raw_format(options.raw_format);
  }
  if (options.has_annotations) {
    result.annotations = options.out / "annotated";
    base::make_directories(result.annotations);
  }
  return result;
}

// Where results go: to the agent, where there is one, and into files, where somebody asks for them.
class Sinks {
 public:
  Sinks(const Options& options, Agent* agent, const CurrentSettings& current) {
    if (agent != nullptr) {
      all_.push_back(&agent_.emplace(*agent, [&current] { return current.get().topic; }));
    }
    if (options.out.empty()) return;
    all_.push_back(&jsonl_.emplace(options.out));
    if (options.has_csv) all_.push_back(&csv_.emplace(options.out));
  }
  Sinks(const Sinks&) = delete;
  Sinks& operator=(const Sinks&) = delete;

  [[nodiscard]] const std::vector<ResultSink*>& all() const { return all_; }

 private:
  std::optional<AgentSink> agent_;
  std::optional<JsonlSink> jsonl_;
  std::optional<CsvSink> csv_;
  std::vector<ResultSink*> all_;
};

// Where the environment names a bucket: what waits for it, and what brings it there.
class UploadParts {
 public:
  // The agent, where there is one, outlives it.
  UploadParts(const Options& options, const base::Clock& clock, const CurrentSettings& current,
              IpcAgent* agent) {
    auto bucket = s3_options_from_environment();
    if (!bucket) return;
    spool_.emplace(options.state / "uploads");
    if (agent != nullptr) link_.emplace(agent->client());
    uploader_.emplace(*spool_,
                      Uploader::Parts{std::make_unique<S3Bucket>(*std::move(bucket), clock),
                                      [&current] { return current.get().upload_bucket; },
                                      [this](std::uint64_t bytes) {
                                        return link_ ? link_->reserve(bytes)
                                                     : std::chrono::milliseconds();
                                      }});
  }

  [[nodiscard]] UploadSpool* spool() { return spool_ ? &*spool_ : nullptr; }

 private:
  std::optional<UploadSpool> spool_;
  std::optional<LinkShare> link_;
  std::optional<Uploader> uploader_;
};

// Owns all parts, in the order in which they are made; they end in the opposite order.
class Program final : public ServiceOwner {
 public:
  explicit Program(Options options)
      : options_(completed(std::move(options))),
        agent_(connect(events_)),
        first_(settings_to_start_with(options_, agent_.get())),
        runtime_(options_.runtime),
        kind_(kind_of(first_.sources)),
        spread_(runtime_, options_, kind_),
        models_(spread_.load_first(first_.model),
                [this](const base::fs::path& path) { return spread_.load(path); }),
        in_use_(models_.current()->parallelism),
        journal_(options_.state, JournalLimits{}, model_that_counts()),
        sinks_(options_, agent_.get(), current_),
        uploads_(options_, clock_, current_, agent_.get()),
        outputs_(driver_tools(options_, agent_.get()), clock_),
        live_(live_frames()),
        inspector_(
            telling(inspector_options(options_, in_use_.workers,
                                      uploads_.spool() == nullptr ? Uploads::off : Uploads::on)),
            clock_),
        recorder_({.journal = journal_,
                   .sinks = sinks_.all(),
                   .clock = clock_,
                   .metrics = metrics_,
                   .thing = options_.thing,
                   .uploads = uploads_.spool()}),
        pipeline_(
            pipeline_options(in_use_, kind_),
            [this](int worker, std::span<Job* const> jobs) { inspector_.look(worker, jobs); }),
        progress_(metrics_) {
    if (!options_.metrics_address.empty()) {
      metrics_server_.emplace(options_.metrics_address, [this] { return metrics_page(); });
    }
  }

  void run() {
    Service service({.events = events_,
                     .pipeline = pipeline_,
                     .recorder = recorder_,
                     .models = models_,
                     .metrics = metrics_,
                     .clock = clock_,
                     .owner = *this,
                     .tuner = spread_.tuner(),
                     .outputs = &outputs_,
                     .triggered = &triggered_,
                     .mode = options_.is_once ? Mode::once : Mode::watch});
    std::optional<ConfigurationCheck> check;
    std::optional<LiveSubscription> live_asks;
    if (agent_) {
      check.emplace(agent_->client(), [this](const auto& value) { check_configuration(value); });
      live_asks.emplace(agent_->client(), *live_);
      agent_->report_running();
    }
    report_end(service.run());
    if (agent_ && !agent_->is_connected()) {
      throw Error(ErrorCode::unavailable, "the agent that started this program is gone");
    }
  }

  Settings read_settings() override {
    const Settings settings = settings_now(options_, agent_.get());
    current_.set(settings);
    if (UploadSpool* spool = uploads_.spool()) {
      spool->set_limits({settings.uploads_per_hour, settings.upload_disk_bytes});
    }
    return settings;
  }

  void apply(const Settings& settings) override {
    outputs_.configure(settings.outputs, settings.verdict ? settings.verdict->late : Judgement::ng);
    if (settings.trigger == trigger_settings_) return;
    trigger_.reset();  // before another takes its place, and its port
    trigger_settings_.reset();
    if (!settings.trigger) return;
    triggered_.set_times(settings.trigger->picture_timeout, settings.trigger->camera_latency);
    trigger_ = make_trigger(
        *settings.trigger,
        {.on_part = [this](std::string id, Instant at) { return trigger(std::move(id), at); },
         .status = [this] { return outputs_.status(); }});
    trigger_settings_ = settings.trigger;
  }

  void stop_triggers() override {
    trigger_.reset();
    triggered_.close();
  }

  std::unique_ptr<Source> open_source(const Settings& settings) override {
    std::vector<base::fs::path> own{options_.state};
    if (!options_.out.empty()) own.push_back(options_.out);
    return inspect::open_source(
        settings, clock_, [this](const PictureId& picture) { return journal_.remembers(picture); },
        std::move(own), &triggered_);
  }

  void on_result(const Job& job) override {
    if (live_) live_->note_last(job);
    progress_.update();
  }

  void adopt(const Model& model) override {
    if (model.parallelism == in_use_) return;
    in_use_ = model.parallelism;
    pipeline_.wait_until_done();
    inspector_.set_workers(in_use_.workers);
    pipeline_.restart(pipeline_options(in_use_, kind_));
  }

  void on_tuned(const vision::Tuning& tuning) override {
    if (spread_.take_over(tuning, *models_.current())) models_.load_again();
  }

 private:
  // Any thread.
  std::optional<std::string> trigger(std::string id, Instant at) {
    if (!triggered_.has_room()) return std::nullopt;
    const auto part = outputs_.begin(std::move(id), Part::Begin::triggered, at);
    if (!part) return std::nullopt;
    triggered_.push(part);
    return part->id();
  }

  InspectorOptions telling(InspectorOptions options) {
    options.tell = [this](const std::shared_ptr<Part>& part, const Verdict& verdict,
                          std::string_view image) { return outputs_.decide(part, verdict, image); };
    if (live_) {
      options.is_shown = [this] { return live_->wants(); };
      options.show = [this](const vision::Image& image, const Job& job) {
        live_->offer(image, job);
      };
    }
    return options;
  }

  // Under an agent.
  std::unique_ptr<LiveFrames> live_frames() {
    if (!agent_) return nullptr;
    return std::make_unique<LiveFrames>(LiveParts{
        .thing = options_.thing,
        .component = options_.component,
        .send =
            [this](const auto& answer) { publish_on_device(*agent_, kLiveFramesTopic, answer); },
        .counts = [this] { return counts(); }});
  }

  [[nodiscard]] base::json::object counts() const {
    const Metrics::Totals totals = metrics_.totals();
    base::json::object counts{{"images", totals.frames},
                              {"perSecond", metrics_.frames_per_second()},
                              {"errors", totals.errors},
                              {"detections", totals.detections},
                              {"dropped", totals.source.dropped}};
    base::json::object verdicts;
    for (const auto& [judgement, count] : metrics_.verdicts()) {
      verdicts.emplace(to_string(judgement), count);
    }
    counts.emplace("verdicts", std::move(verdicts));
    if (outputs_.is_on()) counts.emplace("line", outputs_.status());
    return counts;
  }

  [[nodiscard]] std::string metrics_page() const {
    base::MetricsPage line;
    outputs_.add_to(line);
    return metrics_.text() + line.take();
  }

  // Throws what keeps a configuration from being used. On the agent's thread, while frames go on.
  void check_configuration(const base::json::value& configuration) const {
    const Settings settings = inspect::read_settings(configuration, default_settings(options_));
    if (settings.model.empty()) {
      throw Error(ErrorCode::invalid_argument, "its configuration names no model");
    }
    for (const OutputSettings& output : settings.outputs) {
      static_cast<void>(make_driver(output, driver_tools(options_, agent_.get())));
    }
    if (settings.trigger) require_modules(*settings.trigger);
    if (settings.model == current_.get().model) return;
    // It is loaded as it would be: a file that reads well may still be no model for this program.
    static_cast<void>(spread_.load(settings.model));
    malloc_trim(0);
  }

  // Pictures whose result is of another model are looked at again, where that is wanted.
  [[nodiscard]] std::string model_that_counts() const {
    const bool again = options_.other_model == OtherModel::again ||
                       (options_.other_model == OtherModel::automatic && agent_ == nullptr);
    return again ? models_.current()->sha256 : std::string();
  }

  void report_end(const Service::Counts& counts) const {
    base::log_info("ends", {{"summary", progress_.summary(counts)}});
    if (options_.has_json_summary) fmt::print("{}\n", progress_.summary_json(counts, outputs_));
    std::fflush(stdout);
    if (options_.is_once && !counts.was_stopped && counts.inspected + counts.known == 0) {
      throw Error(
          ErrorCode::not_found,
          fmt::format("there are no images in {}; .jpg, .png, .bmp and .tif are taken{}",
                      options_.sources.front(),
                      options_.is_recursive ? "" : ", and with --recursive those below it"));
    }
  }

  Events events_;  // before there is any other thread
  const Options options_;
  const base::SystemClock clock_;
  const std::unique_ptr<IpcAgent> agent_;
  const Settings first_;
  const vision::OnnxRuntime runtime_;
  const SourceKind kind_;
  Spread spread_;
  ModelLoader models_;
  Parallelism in_use_;
  CurrentSettings current_;
  Metrics metrics_;
  Journal journal_;
  Sinks sinks_;
  UploadParts uploads_;
  LineOutputs outputs_;
  PartQueue triggered_;
  std::unique_ptr<LiveFrames> live_;
  std::optional<TriggerSettings> trigger_settings_;
  Inspector inspector_;
  Recorder recorder_;
  Pipeline pipeline_;
  Progress progress_;
  std::unique_ptr<TriggerInput> trigger_;
  std::optional<MetricsServer> metrics_server_;
};

}  // namespace

void run_inspection(Options options) {
  // glibc moves this limit up to the largest block that was freed; models that come and go would
  // then leave holes in its heaps (docs/measurements.md).
  constexpr int kOwnPagesFrom = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kOwnPagesFrom);
  Program(std::move(options)).run();
}

}  // namespace andon::inspect
