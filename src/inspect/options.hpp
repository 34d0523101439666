// SPDX-License-Identifier: Apache-2.0
// The command line of andon-inspect, and what follows from it and from the environment that an
// agent gives its components. Values; read once at the start.
#pragma once

#include "inspect/open_source.hpp"
#include "inspect/result.hpp"
#include "inspect/settings.hpp"

namespace CLI {
class App;
}

namespace andon::inspect {

// Many pictures a second: a worker a core, each with one thread. Or each picture as soon as
// possible: one worker on all cores.
enum class Load { throughput, latency };

struct Options {
  base::fs::path model;
  std::vector<std::string> sources;
  base::fs::path out;
  base::fs::path state;
  base::fs::path runtime;
  std::string thing;
  std::string topic;
  ComponentId component;
  ComponentId model_component;
  double confidence = Settings{}.confidence;
  double iou = Settings{}.iou;
  int anomaly_map_side = 0;           // 0: maps are not sent
  std::vector<double> anomaly_scale;  // empty, or what is drawn cold and hot
  Load load = Load::throughput;
  int workers = 0;  // 0: as the load wants it
  int threads = 0;
  std::string affinity = "none";  // or "auto", or a list of cores
  std::string metrics_address;    // empty: none
  std::vector<std::string> providers;
  bool has_scaled_decoding = false;
  std::string raw_format;  // empty: there are no raw frames
  bool is_tuned = false;
  bool has_annotations = false;
  bool has_csv = false;
  bool is_once = false;
  bool has_json_summary = false;
};

void add_options(CLI::App& app, Options& options);

// Fills in what was not given: identities out of the paths of installed artifacts, the thing out
// of AWS_IOT_THING_NAME (else the host's name), places in the work directory. Throws
// invalid_argument for what does not go together. `has_agent`: started by an agent.
void complete(Options& options, bool has_agent);

// True where the environment says that an agent started this program.
[[nodiscard]] bool has_agent();

struct Parallelism {
  int workers = 1;
  int threads = 1;  // of each worker's network
  vision::SessionOptions::Waiting waiting = vision::SessionOptions::Waiting::block;
  std::size_t frames_in_flight = 2;
  std::vector<int> cores;  // where threads stay: the workers', then those of the network; or empty
};
// Live frames wait in no queue: they would grow old.
[[nodiscard]] std::size_t frames_in_flight(SourceKind kind, int workers);
// What this process may use of the processor.
struct Processor {
  std::vector<int> allowed;  // cores
  int usable = 1;            // how many of them at a time
  [[nodiscard]] static Processor here();
};
// Throws invalid_argument for cores that may not be used.
[[nodiscard]] Parallelism choose_parallelism(const Options& options, SourceKind kind,
                                             const Processor& processor);

[[nodiscard]] Settings default_settings(const Options& options);

}  // namespace andon::inspect
