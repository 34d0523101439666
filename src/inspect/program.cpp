// SPDX-License-Identifier: Apache-2.0
#include "inspect/program.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "base/error.hpp"
#include "base/log.hpp"
#include "inspect/agent.hpp"
#include "inspect/bucket.hpp"
#include "inspect/events.hpp"
#include "inspect/inspector.hpp"
#include "inspect/metrics_server.hpp"
#include "inspect/open_source.hpp"
#include "inspect/progress.hpp"
#include "inspect/service.hpp"
#include "inspect/spread.hpp"
#include "inspect/uploader.hpp"

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

std::unique_ptr<IpcAgent> connect(const Events& events) {
  if (!has_agent()) return nullptr;
  return std::make_unique<IpcAgent>(
      AgentCallbacks{.on_configuration_change = [&events] { events.nudge(); },
                     .on_disconnect = [] { kill(getpid(), SIGTERM); }});
}

Settings settings_now(const Options& options, Agent* agent) {
  const Settings settings = default_settings(options);
  return agent == nullptr ? settings : read_settings(agent->configuration(), settings);
}

SourceKind kind_of(const std::vector<std::string>& sources) {
  const SourceType type = type_of(sources);
  return type == SourceType::rtsp || type == SourceType::v4l2 ? SourceKind::live
                                                              : SourceKind::files;
}

PipelineOptions pipeline_options(const Parallelism& parallelism, SourceKind kind) {
  return {.workers = parallelism.workers,
          .frames_in_flight = frames_in_flight(kind, parallelism),
          .batch = parallelism.batch,
          .cores = parallelism.cores};
}

// Where results go besides the agent.
struct FileSinks {
  std::optional<JsonlSink> jsonl;
  std::optional<CsvSink> csv;
};

void report_end(const Options& options, const Progress& progress, const Service::Counts& counts) {
  base::log_info("ends", {{"summary", progress.summary(counts)}});
  if (options.has_json_summary) fmt::print("{}\n", progress.summary_json(counts));
  std::fflush(stdout);
  if (options.is_once && !counts.was_stopped && counts.inspected + counts.known == 0) {
    throw Error(ErrorCode::not_found,
                fmt::format("there are no images in {}; .jpg, .png, .bmp and .tif are taken",
                            options.sources.front()));
  }
}

}  // namespace

void run_inspection(Options options) {
  // glibc moves this limit up to the largest block that was freed; models that come and go would
  // then leave holes in its heaps (docs/measurements.md).
  constexpr int kOwnPagesFrom = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kOwnPagesFrom);
  Events events;
  complete(options, has_agent());
  const base::SystemClock clock;
  const std::unique_ptr<IpcAgent> agent = connect(events);
  const Settings first = settings_now(options, agent.get());
  if (first.model.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "there is no model: give --model FILE, or 'model' in the configuration");
  }
  const vision::OnnxRuntime runtime(options.runtime);
  const SourceKind kind = kind_of(first.sources);
  Spread spread(runtime, options, kind);
  ModelLoader models(spread.load_first(first.model),
                     [&](const base::fs::path& path) { return spread.load(path); });
  Parallelism in_use = models.current()->parallelism;

  CurrentSettings current;
  Metrics metrics;
  Journal journal(options.state);
  RecorderParts recorder_parts{.journal = journal,
                               .sinks = {},
                               .clock = clock,
                               .metrics = metrics,
                               .thing = options.thing,
                               .uploads = nullptr};
  std::optional<AgentSink> agent_sink;
  FileSinks files;
  if (agent) {
    recorder_parts.sinks.push_back(
        &agent_sink.emplace(*agent, [&] { return current.get().topic; }));
  }
  if (!options.out.empty()) {
    recorder_parts.sinks.push_back(&files.jsonl.emplace(options.out));
    if (options.has_csv) recorder_parts.sinks.push_back(&files.csv.emplace(options.out));
  }

  std::optional<UploadSpool> spool;
  std::optional<Uploader> uploader;
  if (auto bucket = s3_options_from_environment()) {
    recorder_parts.uploads = &spool.emplace(options.state / "uploads");
    uploader.emplace(*spool, std::make_unique<S3Bucket>(*std::move(bucket), clock),
                     [&] { return current.get().upload_bucket; });
  }
  InspectorOptions inspector_options{.workers = in_use.workers,
                                     .thing = options.thing,
                                     .component = options.component,
                                     .uploads = spool ? Uploads::on : Uploads::off,
                                     .annotations = {},
                                     .decoding = options.has_scaled_decoding
                                                     ? InspectorOptions::Decoding::scaled
                                                     : InspectorOptions::Decoding::whole,
                                     .raw_format = std::nullopt};
  if (!options.raw_format.empty()) {
    inspector_options.raw_format = vision::parse_raw_format(options.raw_format);
  }
  if (options.has_annotations) {
    inspector_options.annotations = options.out / "annotated";
    base::make_directories(inspector_options.annotations);
  }
  std::optional<MetricsServer> metrics_server;
  if (!options.metrics_address.empty()) {
    metrics_server.emplace(options.metrics_address, [&] { return metrics.text(); });
  }

  Recorder recorder(recorder_parts);
  Inspector inspector(inspector_options, clock);
  Pipeline pipeline(pipeline_options(in_use, kind),
                    [&](int worker, std::span<Job* const> jobs) { inspector.look(worker, jobs); });
  Progress progress(metrics);
  Service service(
      {.events = events,
       .pipeline = pipeline,
       .recorder = recorder,
       .models = models,
       .metrics = metrics,
       .clock = clock,
       .read_settings =
           [&] {
             const Settings settings = settings_now(options, agent.get());
             current.set(settings);
             if (spool) {
               spool->set_limits({settings.uploads_per_hour, settings.upload_disk_bytes});
             }
             return settings;
           },
       .open_source =
           [&](const Settings& settings) { return open_source(settings.sources, clock); },
       .on_result = [&] { progress.update(); },
       .adopt =
           [&](const Model& model) {
             if (model.parallelism == in_use) return;
             in_use = model.parallelism;
             pipeline.wait_until_done();
             inspector.set_workers(in_use.workers);
             pipeline.restart(pipeline_options(in_use, kind));
           },
       .tuner = spread.tuner(),
       .on_tuned =
           [&](const vision::Tuning& tuning) {
             if (spread.take_over(tuning, *models.current())) models.load_again();
           },
       .mode = options.is_once ? Mode::once : Mode::watch});
  if (agent) agent->report_running();
  report_end(options, progress, service.run());
  if (agent && !agent->is_connected()) {
    throw Error(ErrorCode::unavailable, "the agent that started this program is gone");
  }
}

}  // namespace andon::inspect
