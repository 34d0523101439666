// SPDX-License-Identifier: Apache-2.0
#include "inspect/program.hpp"

#include <signal.h>
#include <unistd.h>

#include <mutex>

#include "base/error.hpp"
#include "base/log.hpp"
#include "inspect/agent.hpp"
#include "inspect/bucket.hpp"
#include "inspect/events.hpp"
#include "inspect/uploader.hpp"
#include "trust/digest.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;

namespace {

constexpr std::size_t kMaxModelBytes = 2'000'000'000;

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

class LoadedModel {
 public:
  LoadedModel(const vision::OnnxRuntime& runtime, const Options& options)
      : LoadedModel(runtime, options, base::read_file(options.model, kMaxModelBytes)) {}

  vision::Detector detector;
  std::string sha256;

 private:
  // What is hashed is what runs: the file is read once.
  LoadedModel(const vision::OnnxRuntime& runtime, const Options& options, const std::string& bytes)
      : detector(runtime, bytes, options.model.filename().string(),
                 {.session = {.threads = options.threads}, .input_size = {}}),
        sha256(trust::sha256_hex(bytes)) {}
};

std::unique_ptr<IpcAgent> connect(const Events& events) {
  if (!has_agent()) return nullptr;
  return std::make_unique<IpcAgent>(
      AgentCallbacks{.on_configuration_change = [&events] { events.nudge(); },
                     .on_disconnect = [] { kill(getpid(), SIGTERM); }});
}

void log_ready(const vision::OnnxRuntime& runtime, const LoadedModel& model,
               const Options& options) {
  const vision::ModelDescription& description = model.detector.description();
  base::log_info("model loaded", {{"model", options.model.string()},
                                  {"sha256", model.sha256},
                                  {"component", options.model_component.name},
                                  {"version", options.model_component.version},
                                  {"input_width", description.input.width},
                                  {"input_height", description.input.height},
                                  {"classes", description.labels.size()},
                                  {"onnxruntime", runtime.version()}});
}

}  // namespace

void run_inspection(Options options) {
  Events events;
  complete(options, has_agent());
  const base::SystemClock clock;
  const std::unique_ptr<IpcAgent> agent = connect(events);
  const vision::OnnxRuntime runtime(options.runtime);
  LoadedModel model(runtime, options);
  log_ready(runtime, model, options);

  CurrentSettings current;
  Journal journal(options.state);
  InspectorParts parts{.detector = model.detector,
                       .journal = journal,
                       .sinks = {},
                       .clock = clock,
                       .uploads = nullptr,
                       .annotations = {}};
  std::optional<AgentSink> agent_sink;
  std::optional<JsonlSink> file_sink;
  if (agent) {
    parts.sinks.push_back(&agent_sink.emplace(*agent, [&] { return current.get().topic; }));
  }
  if (!options.out.empty()) parts.sinks.push_back(&file_sink.emplace(options.out));
  if (options.has_annotations) {
    parts.annotations = options.out / "annotated";
    base::make_directories(parts.annotations);
  }

  std::optional<UploadSpool> spool;
  std::optional<Uploader> uploader;
  if (auto bucket = s3_options_from_environment()) {
    parts.uploads = &spool.emplace(options.state / "uploads");
    uploader.emplace(*spool, std::make_unique<S3Bucket>(*std::move(bucket), clock),
                     [&] { return current.get().upload_bucket; });
  }

  Inspector inspector(parts, {.thing = options.thing,
                              .component = options.component,
                              .model = options.model_component,
                              .model_sha256 = model.sha256});
  const auto read = [&] {
    Settings settings = default_settings(options);
    if (agent) settings = read_settings(agent->configuration(), settings);
    current.set(settings);
    if (spool) spool->set_limits({settings.uploads_per_hour, settings.upload_disk_bytes});
    return settings;
  };
  Service service(events, inspector, clock, read,
                  options.is_once ? Service::Mode::once : Service::Mode::watch);
  if (agent) agent->report_running();
  const Service::Counts counts = service.run();
  base::log_info("ends", {{"inspected", counts.inspected}, {"known", counts.known}});
  if (agent && !agent->is_connected()) {
    throw Error(ErrorCode::unavailable, "the agent that started this program is gone");
  }
}

}  // namespace andon::inspect
