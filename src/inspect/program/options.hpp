// SPDX-License-Identifier: Apache-2.0
// The command line of andon-inspect, and what follows from it and from the environment that an
// agent gives its components. Values; read once at the start.
#pragma once

#include "inspect/look/settings.hpp"
#include "inspect/model/parallelism.hpp"
#include "inspect/program/open_source.hpp"
#include "inspect/results/result.hpp"

namespace CLI {
class App;
}

namespace andon::inspect {

// A picture that has a result of another model: is it looked at again? Automatic: under an agent
// not, where a newer model looks at what comes.
enum class OtherModel { automatic, again, keep };

struct Options {
  base::fs::path model;
  base::fs::path settings;  // a file with members of the configuration; empty: none
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
  SpreadOptions spread;
  std::string metrics_address;  // empty: none
  std::vector<std::string> providers;
  bool has_scaled_decoding = false;
  std::string raw_format;  // empty: there are no raw frames
  bool has_annotations = false;
  bool has_csv = false;
  OtherModel other_model = OtherModel::automatic;
  bool is_recursive = false;
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

[[nodiscard]] Settings default_settings(const Options& options);

}  // namespace andon::inspect
