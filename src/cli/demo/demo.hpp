// SPDX-License-Identifier: Apache-2.0
// `andon demo`: the whole main path on one machine, each step through the public interfaces: a
// server, two simulated devices, a pipeline that ships each model that is approved (QA, then
// production), and detections over MQTT.
// Its children are restarted when they die; every call is repeated until its deadline, so the demo
// completes whatever of it is killed on the way.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/os/file.hpp"

namespace CLI {
class App;
}

namespace andon::cli {

enum class DemoMode { until_interrupted, once };

struct DemoOptions {
  base::fs::path images;   // empty: <example>/images
  base::fs::path model;    // empty: <example>/model/model.onnx
  base::fs::path example;  // has recipes/ and workflows/
  base::fs::path out = "demo-out";
  base::fs::path programs;  // directory with andon-server, andon-edge, andon-inspect
  double confidence = 0.25;
  std::chrono::seconds timeout{300};
  DemoMode mode = DemoMode::until_interrupted;
  bool open = false;  // shows the console in a browser, once there is something to see

  // Of --train: the model that is shipped is made here, by train-and-ship.asl.json.
  bool train = false;
  base::fs::path trainer;  // its sources, which are committed, and .venv
  // Minutes on a laptop: a small network, on small pictures.
  std::string train_command =
      "./train.sh --side 160 --width 0.125 --epochs 24 --eval-every 4 --batch 8 --warmup-steps 30 "
      "--mosaic 0.2 --lr 4e-3";
  int train_pictures = 160;
  double min_map = 0.02;
};

// Throws base::Error for what keeps the demo from completing. Returns the exit code.
int run_demo(const DemoOptions& options);

// Adds `demo` to `app`; `selected` is set to what main has to run when it was asked for.
void add_demo_command(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
