// SPDX-License-Identifier: Apache-2.0
// Options out of a YAML file, handed to CLI11. Internal to options.
#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <string>
#include <vector>

namespace andon::options {

// Gives each option that the file names its value, unless a flag or the environment has one.
// Throws CLI::FileError naming line and key for what is unknown or does not fit; CLI11 passes it
// on after --help has had its chance.
class YamlConfig final : public CLI::Config {
 public:
  explicit YamlConfig(CLI::App& app) : app_(app) {}

  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  CLI::App& app_;
};

// "api-port" -> "ANDON_API_PORT".
[[nodiscard]] std::string environment_name(const std::string& option);

}  // namespace andon::options
