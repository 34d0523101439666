// SPDX-License-Identifier: Apache-2.0
// generate-metal-tags: writes a data set of generated pictures of metal tags.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <opencv2/core.hpp>

#include "base/error/error.hpp"
#include "dataset.hpp"

namespace {

// Options with a range of 0 (as trained) to 1 (as far as this generator goes).
void add_drift_option(CLI::App& app, const char* name, double& value, const char* help) {
  app.add_option(name, value, help)->check(CLI::Range(0.0, 1.0))->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Generates pictures of metal tags with exact labels (COCO and YOLO)"};
  metal_tags::DatasetOptions options;
  andon::base::fs::path out;
  app.add_option("--out", out, "Directory to write; must be empty or absent")->required();
  app.add_option("--count", options.count, "Pictures")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "The same seed gives the same files")
      ->capture_default_str();
  app.add_option("--width", options.scene.size.width, "Pixels")
      ->check(CLI::Range(150, 4500))
      ->capture_default_str();
  app.add_option("--height", options.scene.size.height, "Pixels")
      ->check(CLI::Range(100, 3000))
      ->capture_default_str();
  app.add_option("--defect-rate", options.scene.defect_rate, "Share of tags with scratches")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  const std::map<std::string, metal_tags::Difficulty> difficulties{
      {"easy", metal_tags::Difficulty::easy},
      {"middling", metal_tags::Difficulty::middling},
      {"hard", metal_tags::Difficulty::hard}};
  app.add_option("--difficulty", options.scene.difficulty, "easy, middling or hard (middling)")
      ->transform(CLI::CheckedTransformer(difficulties));
  metal_tags::Drift& drift = options.scene.drift;
  add_drift_option(app, "--drift-lamp", drift.lamp, "A changed lamp");
  add_drift_option(app, "--drift-lens", drift.lens, "A worn and dirty lens");
  add_drift_option(app, "--drift-shift", drift.shift, "A moved and turned camera");
  app.add_flag("--drift-stamped-text", drift.stamped_text, "A new tag design with stamped text");
  CLI11_PARSE(app, argc, argv);

  cv::setNumThreads(1);
  try {
    const bool is_terminal = isatty(STDERR_FILENO) == 1;
    metal_tags::write_dataset(options, out, [&](int done) {
      if (is_terminal) fmt::print(stderr, "\r{} of {} pictures", done, options.count);
    });
    fmt::print(stderr, "{}{} pictures in {}\n", is_terminal ? "\r" : "", options.count,
               out.string());
  } catch (const andon::base::Error& error) {
    fmt::print(stderr, "generate-metal-tags: {}\n", error.message());
    return andon::base::exit_code(error.code());
  }
  return 0;
}
