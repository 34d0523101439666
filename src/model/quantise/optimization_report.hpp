// SPDX-License-Identifier: Apache-2.0
// What optimising a model did: figures before and after, what was left in float and why, which
// layers suffer from eight bits. Plain values; filled by model/optimize, printed by others.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/time/latency.hpp"

namespace andon::model {

struct ModelFigures {
  std::string digest;  // "sha256:<hex>" of the file
  std::size_t bytes = 0;
  // By the report's measure; nothing where it was not measured.
  std::optional<double> score;
  std::optional<double> map50;           // where the measure is mAP50-95
  std::optional<base::Latency> latency;  // of one picture through the network
};

struct LayerSensitivity {
  std::string node;       // the convolution's name
  std::string operation;  // "Conv"
  // How far the outputs move when only this layer has eight bits, 0: not at all. For detectors the
  // mean change of score and box (in parts of the input's side) of the anchors that matter.
  double error = 0;
  bool is_excluded = false;  // left in float for it
};

struct NodeInFloat {
  std::string node;
  std::string operation;
  std::string reason;  // "decodes boxes", "sensitive", "no 8-bit kernel", "asked for", ...
};

// One attempt to hold the gate.
struct OptimizationRound {
  std::size_t excluded_layers = 0;
  std::size_t bytes = 0;
  double score = 0;
};

struct StepTime {
  std::string step;  // "load", "clean up", "calibrate", "quantise", "gate", ...
  double seconds = 0;
};

struct OptimizationReport {
  std::string tool;        // "andon 0.1.0"
  std::string runtime;     // ONNX Runtime's version
  std::string model_name;  // file name of the source
  std::string weights;     // "int8", "float16", "float32"
  std::string head;        // "yolov8_dfl, cut", "yolov8_dfl, kept in float", "not recognised: ..."
  int opset_before = 0;
  int opset_after = 0;
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;

  ModelFigures before;
  ModelFigures after;

  std::string measure;  // "mAP50-95", "similarity" (1 for the original itself) or "none"
  double max_drop = 0;  // of the measure
  double drop = 0;
  bool gate_held = false;
  std::string no_evidence;  // why the scores prove nothing; empty where they do

  std::string calibration_method;  // "min-max", "moving-average", "percentile", "entropy"
  std::string calibration_digest;  // "sha256:<hex>" over names and contents of the pictures
  std::size_t calibration_images = 0;

  std::string device_graph;  // what it has ("57 tables, pixels as bytes"); "none: why"; "": float
  std::vector<std::string> passes;  // what clean-up did: "3 BatchNormalization into Conv", ...
  std::vector<NodeInFloat> in_float;
  std::vector<LayerSensitivity> sensitivities;  // worst first; empty where not asked for
  std::vector<OptimizationRound> rounds;
  std::vector<StepTime> times;
};

}  // namespace andon::model
