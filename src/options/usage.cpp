// SPDX-License-Identifier: Apache-2.0
#include "options/usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/text/escape.hpp"
#include "base/text/split.hpp"
#include "options/nearest.hpp"

namespace andon::options {
namespace {

// "INT in [1 - 256]", as CLI11 describes a range: "1 to 256".
std::string words_of_check(std::string description) {
  const std::size_t open = description.find(" in [");
  const std::size_t dash = description.find(" - ", open == std::string::npos ? 0 : open);
  if (open == std::string::npos || dash == std::string::npos || !description.ends_with("]")) {
    return description;
  }
  return description.substr(open + 5, dash - open - 5) + " to " +
         description.substr(dash + 3, description.size() - dash - 4);
}

std::string words_of_type(const std::string& type) {
  return type == "INT" || type == "UINT" || type == "FLOAT" ? "NUMBER" : type;
}

void describe_in_words(CLI::Option& option) {
  std::string type = option.get_type_name();
  std::string checks;
  for (int i = 0;; ++i) {
    CLI::Validator* validator = nullptr;
    try {
      validator = option.get_validator(i);
    } catch (const CLI::OptionNotFound&) {
      break;  // CLI11 has no count of them
    }
    const std::string check = validator->get_description();
    if (check.empty()) continue;
    if (type.ends_with(":" + check)) type.resize(type.size() - check.size() - 1);
    checks = words_of_check(check);
    validator->description("");
  }
  option.type_name(checks.empty() ? words_of_type(type) : checks);
}

class HelpText final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0) {  // else it takes no value
      text += " " + option->get_type_name();
      if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
      if (!option->get_default_str().empty()) text += ", default " + option->get_default_str();
      if (option->get_required()) text += ", required";
    }
    for (const CLI::Option* other : option->get_needs()) text += ", with " + other->get_name();
    for (const CLI::Option* other : option->get_excludes()) {
      text += ", without " + other->get_name();
    }
    if (!option->get_envname().empty()) text += " (Env:" + option->get_envname() + ")";
    return text;
  }
};

// The command that was asked for, as deep as it was understood.
const CLI::App& chosen(const CLI::App& app) {
  const CLI::App* deepest = &app;
  while (true) {
    const auto parsed = deepest->get_subcommands();
    const auto named =
        std::ranges::find_if(parsed, [](const CLI::App* sub) { return !sub->get_name().empty(); });
    if (named == parsed.end()) return *deepest;
    deepest = *named;
  }
}

// "andon model bench"
std::string path_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  if (parent == nullptr) return command.get_name();
  return command.get_name().empty() ? path_of(*parent)
                                    : path_of(*parent) + " " + command.get_name();
}

std::vector<const CLI::App*> children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : children(app)) {
    if (!sub->get_name().empty()) names.push_back(sub->get_name());
  }
  return names;
}

void add_option_names(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* sub : children(app)) {
    if (sub->get_name().empty()) add_option_names(*sub, names);  // a group of options
  }
}

// What may stand behind `command`: its own options first, then those of what it belongs to.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    add_option_names(*app, names);
  }
  return names;
}

// The first command at or below `app` of which `has` holds.
template <typename Has>
const CLI::App* find_command(const CLI::App& app, const Has& has) {
  if (has(app)) return &app;
  for (const CLI::App* sub : children(app)) {
    if (const CLI::App* found = find_command(*sub, has)) return found;
  }
  return nullptr;
}

const CLI::App* find_owner(const CLI::App& root, const std::string& option) {
  return find_command(root, [&](const CLI::App& app) {
    std::vector<std::string> own;
    add_option_names(app, own);
    return std::ranges::find(own, option) != own.end();
  });
}

std::string did_you_mean(const std::optional<std::string>& name) {
  return name ? "; did you mean '" + *name + "'?" : "";
}

std::string unknown_option(const CLI::App& root, const CLI::App& command, const std::string& typed,
                           const std::string& shown) {
  const std::string name = typed.substr(0, typed.find('='));
  if (const auto near = nearest(name, option_names(command)); near && *near != name) {
    return fmt::format("{} has no option '{}'{}", path_of(command), shown, did_you_mean(near));
  }
  if (const CLI::App* owner = find_owner(root, name)) {
    return fmt::format("'{}' is an option of '{}': write it behind that", shown, path_of(*owner));
  }
  return fmt::format("{} has no option '{}'", path_of(command), shown);
}

std::string unknown_command(const CLI::App& root, const CLI::App& group, const std::string& typed,
                            const std::string& shown) {
  const std::vector<std::string> names = command_names(group);
  std::string hint = did_you_mean(nearest(typed, names));
  if (hint.empty()) {
    const CLI::App* elsewhere =
        find_command(root, [&](const CLI::App& app) { return app.get_name() == typed; });
    if (elsewhere != nullptr && elsewhere != &root) {
      hint = did_you_mean(path_of(*elsewhere));
    } else if (const auto options = option_names(group);
               std::ranges::find(options, "--" + typed) != options.end()) {
      hint = did_you_mean("--" + typed);
    } else {
      hint = "; there are: " + base::join(std::span<const std::string>(names), ", ");
    }
  }
  return fmt::format("{} has no command '{}'{}", path_of(group), shown, hint);
}

std::string unexpected_argument(const CLI::App& command, const std::string& typed,
                                const std::string& shown) {
  return fmt::format(
      "{} takes no {}argument '{}'{}", path_of(command),
      command.get_options([](const CLI::Option* option) { return option->get_positional(); })
              .empty()
          ? ""
          : "further ",
      shown, did_you_mean(nearest(typed, option_names(command))));
}

// A value that was not typed but stands in the environment.
std::string where_from(const CLI::App& command, const std::string& problem) {
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      const std::string& variable = option->get_envname();
      if (variable.empty() || problem.find(option->get_name()) == std::string::npos) continue;
      const char* value = std::getenv(variable.c_str());
      const std::vector<std::string> results = option->results();
      if (value != nullptr && results.size() == 1 && results.front() == value) {
        return fmt::format(" (out of the environment: {}={})", variable,
                           base::escape_controls(value));
      }
    }
  }
  return "";
}

std::string problem_of(const CLI::App& root, const CLI::App& command,
                       const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::FileError)) return error.what();
  const bool has_commands = !command_names(command).empty();
  if (const std::vector<std::string> unknown = root.remaining(true); !unknown.empty()) {
    const std::string& typed = unknown.front();
    const std::string shown = base::escape_controls(typed);
    if (typed.starts_with("-") && typed.size() > 1) {
      return unknown_option(root, command, typed, shown);
    }
    return has_commands ? unknown_command(root, command, typed, shown)
                        : unexpected_argument(command, typed, shown);
  }
  const bool needs_command =
      command.get_require_subcommand_min() > 0 && command.get_subcommands().empty();
  if (needs_command && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError)) {
    return fmt::format("{} needs a command: {}", path_of(command),
                       base::join(std::span<const std::string>(command_names(command)), ", "));
  }
  std::string problem = error.what();
  if (const std::size_t repeated = problem.find(": At Most 1 required but received ");
      repeated != std::string::npos) {
    return problem.substr(0, repeated) + " may be given once, and is given more often";
  }
  return problem + where_from(command, problem);
}

}  // namespace

void describe_in_words(CLI::App& app) {
  app.formatter(std::make_shared<HelpText>());
  for (CLI::Option* option : app.get_options()) describe_in_words(*option);
  for (CLI::App* sub : app.get_subcommands(nullptr)) describe_in_words(*sub);
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  return usage_error(app, problem_of(app, chosen(app), error));
}

std::string usage_error(const CLI::App& app, std::string_view problem) {
  return fmt::format("{}: {}\nSee {} --help.\n", app.get_name(), problem, path_of(chosen(app)));
}

}  // namespace andon::options
