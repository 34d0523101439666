// SPDX-License-Identifier: Apache-2.0
#include "cli/model/bench_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <span>

#include "base/json/json_text.hpp"
#include "base/text/escape.hpp"
#include "base/text/utf8.hpp"
#include "cli/model/file.hpp"
#include "cli/terminal/terminal.hpp"
#include "evaluate/measure/benchmark.hpp"
#include "report/page/comparison_report.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;

constexpr std::size_t kPictures = 64;
constexpr vision::Size kNoise{640, 480};

struct BenchOptions {
  fs::path model;
  fs::path images;
  vision::Folders folders = vision::Folders::this_one;
  fs::path onnxruntime;
  std::string input_size;
  int threads = 1;
  std::size_t runs = 200;
  int seconds = 10;
  int workers = 0;
  bool json = false;
};

void print_table(const evaluate::StageLatency& latency) {
  fmt::print("{:<12}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n", "ms", "min", "p50", "p90", "p95", "p99",
             "max");
  const std::array<std::pair<const char*, const base::Latency*>, 5> rows{
      {{"decode", &latency.decode},
       {"letterbox", &latency.preprocess},
       {"network", &latency.inference},
       {"boxes", &latency.postprocess},
       {"all", &latency.total}}};
  for (const auto& [name, row] : rows) {
    fmt::print("{:<12}{:>9.3f}{:>9.3f}{:>9.3f}{:>9.3f}{:>9.3f}{:>9.3f}\n", name, row->min_ms,
               row->p50_ms, row->p90_ms, row->p95_ms, row->p99_ms, row->max_ms);
  }
}

int bench_model(const BenchOptions& options) {
  Terminal terminal;
  const vision::ModelFile model = vision::open_model(options.model);
  const vision::OnnxRuntime runtime(options.onnxruntime);
  const std::vector<std::string> pictures =
      options.images.empty()
          ? std::vector<std::string>{evaluate::noise_picture(kNoise)}
          : evaluate::benchmark_pictures(options.images, kPictures, options.folders);
  if (options.images.empty()) {
    terminal.warning("without --images a picture of noise is measured: it has no findings");
  }
  evaluate::BenchmarkOptions run;
  run.threads = options.threads;
  run.runs = options.runs;
  run.time_limit = std::chrono::seconds(options.seconds);
  run.input_size = parse_input_size(options.input_size);
  run.on_progress = [&](std::size_t done, std::size_t total) {
    terminal.progress_count("runs", done, total);
  };
  const auto results = evaluate::benchmark(runtime, std::span(&model, 1), pictures, run);
  const std::size_t peak = evaluate::peak_resident_bytes();
  const evaluate::Throughput throughput = evaluate::measure_throughput(
      runtime, model, pictures, std::chrono::seconds(options.seconds) / 2, options.workers, run);
  const evaluate::StageLatency& latency = results.front().latency;
  if (options.json) {
    base::json::object json{{"tool", tool_name()},
                            {"runtime", runtime.version()},
                            {"model",
                             {{"name", base::to_valid_utf8(model.name, "?")},
                              {"digest", "sha256:" + model.sha256},
                              {"bytes", model.total_bytes()}}},
                            {"pictures", options.images.empty() ? 0 : pictures.size()},
                            {"threads", options.threads},
                            {"latencyMs", report::to_json(latency)},
                            {"throughput",
                             {{"workers", throughput.workers},
                              {"pictures", throughput.pictures},
                              {"perSecond", throughput.per_second}}},
                            {"peakRssBytes", peak},
                            {"peakRssAllWorkersBytes", evaluate::peak_resident_bytes()}};
    fmt::print("{}\n", base::json_text(json));
    return 0;
  }
  fmt::print("{}, {}, {} runs, {} thread{}, ONNX Runtime {}\n", base::escape_line(model.name),
             format_bytes(model.total_bytes()), latency.total.count, options.threads,
             options.threads == 1 ? "" : "s", runtime.version());
  print_table(latency);
  fmt::print("{:.1f} pictures a second with {} workers; peak memory {} (one session), {} (all)\n",
             throughput.per_second, throughput.workers, format_bytes(peak),
             format_bytes(evaluate::peak_resident_bytes()));
  return 0;
}

}  // namespace

void add_model_bench_command(CLI::App& model, std::function<int()>& selected) {
  auto* bench = model.add_subcommand("bench", "How fast a model is on this machine");
  const auto options = std::make_shared<BenchOptions>();
  bench->add_option("model", options->model, "ONNX detector")->type_name("MODEL")->required();
  bench->add_option("--images", options->images, "Folder of pictures like those of the line")
      ->type_name("DIR");
  add_recursive_flag(*bench, options->folders);
  bench->add_option("--threads", options->threads, "Within one run of the network, for latency")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  bench->add_option("--runs", options->runs, "For latency, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  bench->add_option("--seconds", options->seconds, "For latency at most; half of it for throughput")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  bench->add_option("--workers", options->workers, "For throughput; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  bench->add_option("--input-size", options->input_size,
                    "SIDE or WIDTHxHEIGHT, for a model whose input is not fixed");
  bench->add_option("--onnxruntime", options->onnxruntime, "ONNX Runtime: library or folder")
      ->type_name("PATH");
  bench->add_flag("--json", options->json, "Print one JSON object");
  bench->callback([options, &selected] { selected = [options] { return bench_model(*options); }; });
}

}  // namespace andon::cli
