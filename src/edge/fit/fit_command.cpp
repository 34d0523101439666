// SPDX-License-Identifier: Apache-2.0
#include "edge/fit/fit_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error/error.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "edge/fit/fit.hpp"
#include "options/usage_error.hpp"

namespace andon::edge {
namespace {

struct Options {
  fs::path root = "/var/lib/andon/edge";
  bool as_json = false;
  fs::path recipe;
  FitQuestion question;
};

constexpr std::size_t kMostRecipeBytes = 1U << 20U;

int run(const Options& options) {
  if (options.recipe.empty() && options.question.model.empty()) {
    throw options::UsageError("say what shall fit: --recipe FILE, --model FILE, or both");
  }
  FitQuestion question = options.question;
  if (!options.recipe.empty()) question.recipe = base::read_file(options.recipe, kMostRecipeBytes);
  const std::vector<Finding> found = examine_fit(Layout(options.root), question);
  if (options.as_json) {
    fmt::print("{}\n", base::json_text(to_json(found)));
  } else {
    fmt::print("{}", to_readable(found));
  }
  return worst_of(found) == Verdict::bad ? base::exit_code(base::ErrorCode::failed_precondition)
                                         : 0;
}

}  // namespace

void add_fit_command(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command =
      app.add_subcommand("fit", "Say whether a component or a model would fit this device");
  command->add_option("--root", options->root, "Directory of the device")->capture_default_str();
  command->add_flag("--json", options->as_json, "Print JSON");
  FitQuestion& question = options->question;
  command->add_option("--recipe", options->recipe, "A component's recipe")->type_name("FILE");
  command
      ->add_option("--artifacts", question.artifacts,
                   "Directory that has its artifacts as COMPONENT/VERSION/FILE, for their sizes")
      ->type_name("DIR");
  command
      ->add_option("--model", question.model,
                   "An ONNX model, which is run by the andon-inspect that is here")
      ->type_name("FILE");
  command
      ->add_option("--max-latency-ms", question.most_ms,
                   "What a picture may take at most, in the median")
      ->check(CLI::PositiveNumber)
      ->type_name("MS");
  command->callback([options, &selected] { selected = [options] { return run(*options); }; });
}

}  // namespace andon::edge
