// SPDX-License-Identifier: Apache-2.0
#include "cli/model/inspect_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/escape.hpp"
#include "cli/model/file.hpp"
#include "cli/terminal/terminal.hpp"
#include "model/optimise/inspect.hpp"

namespace andon::cli {
namespace {

struct InspectOptions {
  base::fs::path model;
  base::fs::path onnxruntime;
  std::string input_size;
  std::size_t runs = 10;
  int threads = 1;
  bool json = false;
};

void print(const model::Inspection& it) {
  const auto line = [](std::string_view name, const std::string& text) {
    fmt::print("{:<12}{}\n", name, base::escape_line(text));
  };
  line("file", fmt::format("{}, {}, {}", it.name, format_bytes(it.bytes), it.digest));
  for (const std::string& input : it.inputs) line("input", input);
  for (const std::string& output : it.outputs) line("output", output);
  line("read as", it.read_as.empty() ? "nothing: " + it.why : it.read_as + ": " + it.why);
  line("head", it.head);
  std::string opsets;
  for (const auto& [domain, version] : it.opsets) opsets += fmt::format("{} {}  ", domain, version);
  line("opset", opsets + fmt::format("(IR {}, by {})", it.ir_version,
                                     it.producer.empty() ? "?" : it.producer));
  line("parameters", fmt::format("{} ({})", it.parameters, format_bytes(it.weight_bytes)));
  line("work", fmt::format("{:.2f} GFLOP in {} nodes", it.gflop, it.nodes));
  line("memory", fmt::format("{} of weights, at most {} of tensors at a time",
                             format_bytes(it.weight_bytes), format_bytes(it.activation_bytes)));
  for (const auto& [key, value] : it.metadata) line("metadata", key + ": " + value.substr(0, 100));
  if (it.times.empty()) return;
  fmt::print("\n{:<24}{:>6}{:>10}{:>8}\n", "operator as it runs", "nodes", "ms", "%");
  for (const model::OperatorTime& time : it.times) {
    fmt::print("{:<24}{:>6}{:>10.3f}{:>8.1f}\n", base::escape_line(time.operation), time.nodes,
               time.ms, it.total_ms > 0 ? 100 * time.ms / it.total_ms : 0);
  }
  fmt::print("{:<24}{:>6}{:>10.3f}\n", "all", "", it.total_ms);
}

int run(const InspectOptions& options) {
  const vision::OnnxRuntime runtime(options.onnxruntime);
  model::InspectionOptions settings;
  settings.input_size = parse_input_size(options.input_size);
  settings.runs = options.runs;
  settings.threads = options.threads;
  const model::Inspection found =
      model::inspect(runtime, vision::open_model(options.model), settings);
  if (options.json) {
    fmt::print("{}\n", base::json_text(model::to_json(found)));
  } else {
    print(found);
  }
  return 0;
}

}  // namespace

void add_model_inspect_command(CLI::App& model, std::function<int()>& selected) {
  auto* command =
      model.add_subcommand("inspect", "What is in a model, how much work it is, where time goes");
  const auto options = std::make_shared<InspectOptions>();
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option("--input-size", options->input_size,
                      "SIDE or WIDTHxHEIGHT, for a model whose input is not fixed");
  command->add_option("--runs", options->runs, "Runs to time, 0 for none")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Within one run")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--onnxruntime", options->onnxruntime, "ONNX Runtime: library or folder");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options, &selected] { selected = [options] { return run(*options); }; });
}

}  // namespace andon::cli
