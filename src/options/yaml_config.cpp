// SPDX-License-Identifier: Apache-2.0
#include "options/yaml_config.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>

#include "base/text/ascii.hpp"
#include "options/nearest.hpp"

namespace andon::options {
namespace {

constexpr std::size_t kMaxFileBytes = 1U << 20U;

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& problem) {
  throw CLI::FileError("line " + std::to_string(mark.line + 1) + ": " + problem,
                       CLI::ExitCodes::FileError);
}

std::vector<std::string> values_of(const YAML::Node& node, const std::string& name) {
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence()) refuse(node.Mark(), "'" + name + "' needs a value");
  std::vector<std::string> values;
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) refuse(item.Mark(), "'" + name + "' may only list plain values");
    values.push_back(item.Scalar());
  }
  return values;
}

bool is_given(const CLI::Option& option) {
  if (option.count() > 0) return true;
  const char* value =
      option.get_envname().empty() ? nullptr : std::getenv(option.get_envname().c_str());
  return value != nullptr && *value != '\0';
}

void set_option(CLI::Option& option, const std::string& name, const YAML::Node& node) {
  std::vector<std::string> values = values_of(node, name);
  if (is_given(option) || values.empty()) return;
  try {
    if (option.get_expected_min() == 0 && values.size() == 1) {
      option.add_result(option.get_flag_value(name, values.front()));
    } else {
      option.add_result(std::move(values));
    }
    option.run_callback();
  } catch (const CLI::Error& error) {
    option.clear();
    refuse(node.Mark(), error.what());
  }
}

CLI::App* find_subcommand(CLI::App& app, const std::string& name) {
  const std::vector<CLI::App*> all = app.get_subcommands(nullptr);
  const auto found =
      std::ranges::find_if(all, [&](const CLI::App* sub) { return sub->check_name(name); });
  return found == all.end() ? nullptr : *found;
}

std::string meant_instead(CLI::App& app, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_configurable()) {
      const auto& own = option->get_lnames();
      names.insert(names.end(), own.begin(), own.end());
    }
  }
  for (const CLI::App* sub : app.get_subcommands(nullptr)) names.push_back(sub->get_name());
  const auto near = nearest(name, names);
  return near ? "; did you mean '" + *near + "'?" : "; see --help for those that exist";
}

void apply(CLI::App& app, const YAML::Node& map, const std::string& where) {
  if (!map.IsMap())
    refuse(map.Mark(), (where.empty() ? "it" : where) + " must be a map of options");
  for (const auto& entry : map) {
    std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    std::ranges::replace(name, '_', '-');
    if (CLI::App* subcommand = find_subcommand(app, name)) {
      if (!entry.second.IsNull()) apply(*subcommand, entry.second, "'" + name + "'");
      continue;
    }
    CLI::Option* option = app.get_option_no_throw("--" + name);
    if (option == nullptr || !option->get_configurable()) {
      refuse(entry.first.Mark(), "there is no option '" + name + "'" +
                                     (where.empty() ? "" : " in " + where) +
                                     meant_instead(app, name));
    }
    set_option(*option, name, entry.second);
  }
}

void read_into(CLI::App& app, std::istream& input) {
  std::string text;
  text.resize(kMaxFileBytes + 1);
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (text.size() > kMaxFileBytes) {
    throw CLI::FileError("it is larger than 1 MiB", CLI::ExitCodes::FileError);
  }
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsNull()) apply(app, root, "");
  } catch (const YAML::Exception& error) {
    refuse(error.mark, error.msg);
  }
}

}  // namespace

std::string environment_name(const std::string& option) {
  std::string name = "ANDON_";
  for (const char c : option) {
    name += c == '-' ? '_' : base::to_upper(c);
  }
  return name;
}

std::vector<CLI::ConfigItem> YamlConfig::from_config(std::istream& input) const {
  try {
    read_into(app_, input);
  } catch (const CLI::FileError& error) {
    const auto file = app_.get_config_ptr()->as<std::string>();
    throw CLI::FileError("the configuration file '" + file + "' is wrong: " + error.what(),
                         CLI::ExitCodes::FileError);
  }
  return {};
}

}  // namespace andon::options
