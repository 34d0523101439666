// SPDX-License-Identifier: Apache-2.0
#include "options/options.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/escape.hpp"
#include "options/choice.hpp"
#include "options/usage.hpp"
#include "options/usage_error.hpp"
#include "options/yaml_config.hpp"

namespace andon::options {
namespace {

constexpr int kUsageError = 2;
const std::string kConfigVariable = "ANDON_CONFIG";

// Those of a subcommand are read when it is chosen: what is meant for another one, or wrong for it,
// does no harm.
void name_variables(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (!option->get_lnames().empty() && option->get_configurable()) {
      option->envname(environment_name(option->get_lnames().front()));
    }
  }
  for (CLI::App* subcommand : app.get_subcommands(nullptr)) {
    subcommand->fallthrough();  // --log-level may follow the subcommand
    if (subcommand->get_name().empty()) {
      name_variables(*subcommand);  // a group of options
    } else {
      subcommand->preparse_callback([subcommand](std::size_t) { name_variables(*subcommand); });
    }
  }
}

base::LogFormat log_format(const std::string& name) {
  if (name == "human") return base::LogFormat::human;
  if (name == "json") return base::LogFormat::json;
  return base::LogFormat::automatic;
}

// CLI11 reads a default file only where it exists; one that the environment names has to.
void require_config_of_environment(const CLI::App& app) {
  const char* file = std::getenv(kConfigVariable.c_str());
  if (file == nullptr || *file == '\0' || app.get_config_ptr()->count() > 0) return;
  if (!std::filesystem::is_regular_file(file)) {
    throw CLI::FileError(kConfigVariable + " names '" + file + "', which is not a file",
                         CLI::ExitCodes::FileError);
  }
}

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  std::cerr << usage_error(app, error);
  return kUsageError;
}

}  // namespace

void add_standard_options(CLI::App& app, std::string_view program) {
  app.name(std::string(program));
  app.set_version_flag("--version", std::string(program) + " " ANDON_VERSION)->configurable(false);
  const char* config = std::getenv(kConfigVariable.c_str());
  app.set_config("--config", config == nullptr ? "" : config,
                 "YAML file with options (Env:" + kConfigVariable + ")")
      ->type_name("FILE");
  app.config_formatter(std::make_shared<YamlConfig>(app));
  app.add_option("--log-level", "What is logged, at least")
      ->type_name("LEVEL")
      ->check(one_of({"debug", "info", "warning", "error"}))
      ->default_val("info");
  app.add_option("--log-format", "auto: human on a terminal, else json")
      ->type_name("FORMAT")
      ->check(one_of({"auto", "human", "json"}))
      ->default_val("auto");
}

int run_program(int argc, const char* const* argv, CLI::App& app,
                const std::function<int()>& body) {
  try {
    name_variables(app);
    describe_in_words(app);
    app.parse(argc, argv);
    require_config_of_environment(app);
    base::start_logging(app.get_name(),
                        base::parse_log_level(app.get_option("--log-level")->as<std::string>()),
                        log_format(app.get_option("--log-format")->as<std::string>()));
    return body();
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error);
  } catch (const UsageError& error) {
    std::cerr << usage_error(app, error.message());
    return kUsageError;
  } catch (const base::Error& error) {
    std::cerr << app.get_name() << ": " << base::escape_controls(error.message()) << '\n';
    return base::exit_code(error.code());
  } catch (const std::exception& error) {
    std::cerr << app.get_name() << ": internal error: " << base::escape_controls(error.what())
              << '\n';
    return base::exit_code(base::ErrorCode::internal);
  }
}

}  // namespace andon::options
