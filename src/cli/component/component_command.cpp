// SPDX-License-Identifier: Apache-2.0
#include "cli/component/component_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "cli/component/components.hpp"
#include "cli/component/import.hpp"
#include "cli/component/runtime_component.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

struct Options {
  ServerChoice server;
  std::string name;
  std::string model;
  std::string version;
  std::string source;
  base::fs::path recipe;
  base::fs::path program;
  bool is_runtime = false;
  std::vector<base::fs::path> libraries;
  bool without_runtime = false;
  bool without_modules = false;
  bool yes = false;
  bool as_json = false;
  bool private_addresses = false;
};

int list_components(const Options& options) {
  ServerClient server(options.server);
  const json::array all = server.all(
      "greengrass", "/greengrass/v2/components?scope=PRIVATE&maxResults=100", "components");
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"components", all}}) << '\n';
    return 0;
  }
  Table table({"COMPONENT", "NEWEST", "MADE", "DESCRIPTION"});
  for (const json::value& one : all) {
    const json::value latest =
        base::JsonReader(one, "components[]").child_or_empty("latestVersion").object();
    table.add({text_of(one, "componentName"), text_of(latest, "componentVersion"),
               ago_of(latest, "creationTimestamp", server.now()), text_of(latest, "description")});
  }
  if (table.empty()) {
    fmt::print(stderr, "no components; make one: andon component create --recipe FILE\n");
  } else {
    std::cout << table.text();
  }
  return 0;
}

int show_component(const Options& options) {
  ServerClient server(options.server);
  const ComponentVersion component = find_component(server, options.name);
  const std::string recipe = recipe_text(server, component);
  if (!options.as_json) {
    std::cout << recipe;
    return 0;
  }
  json::array versions;
  for (const ComponentVersion& one : component_versions(server, component.name)) {
    versions.emplace_back(one.version);
  }
  std::cout << base::json_text(json::object{{"componentName", component.name},
                                            {"componentVersion", component.version},
                                            {"arn", component.arn},
                                            {"versions", std::move(versions)},
                                            {"recipe", recipe}})
            << '\n';
  return 0;
}

// Beside this program, where packages and builds put it.
base::fs::path inspect_program(const Options& options) {
  if (!options.program.empty()) return options.program;
  base::fs::path beside = base::fs::read_symlink("/proc/self/exe").parent_path() / "andon-inspect";
  if (base::fs::exists(beside)) return beside;
  throw base::Error(base::ErrorCode::not_found,
                    beside.string() + " is not there; name the program with --program");
}

ComponentVersion create_one(const Options& options) {
  const bool is_inspect = !options.model.empty();
  const int kinds = static_cast<int>(is_inspect) + static_cast<int>(!options.recipe.empty()) +
                    static_cast<int>(options.is_runtime);
  if (kinds != 1) {
    throw options::UsageError(
        "give one of --recipe FILE, --runtime, and NAME with --inspects MODEL-COMPONENT");
  }
  if (is_inspect && options.name.empty()) {
    throw options::UsageError(
        "a component that inspects needs a name: andon component create NAME");
  }
  if (!options.libraries.empty() && !options.is_runtime) {
    throw options::UsageError("--library goes with --runtime");
  }
  ServerClient server(options.server);
  Terminal terminal;
  if (options.is_runtime) {
    return create_runtime(server, terminal, {options.libraries, options.version});
  }
  if (!is_inspect) return create_from_recipe(server, terminal, options.recipe);
  const base::fs::path program = inspect_program(options);
  const bool has_runtime = !options.without_runtime && has_or_create_runtime(server, terminal);
  if (!has_runtime && !options.without_runtime) {
    fmt::print(stderr,
               "ONNX Runtime is neither on the server nor here: the devices must have it. To ship "
               "it: andon component create --runtime --library FOLDER\n");
  }
  return create_inspect(server, terminal,
                        {.name = options.name,
                         .version = options.version.empty() ? "1.0.0" : options.version,
                         .model = options.model,
                         .program = program,
                         .has_runtime = has_runtime,
                         .has_modules = !options.without_modules});
}

int create_component(const Options& options) {
  const ComponentVersion made = create_one(options);
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"componentName", made.name},
                                              {"componentVersion", made.version},
                                              {"arn", made.arn}})
              << '\n';
  } else {
    fmt::print("{}\n", made.text());
  }
  return 0;
}

json::object to_json(const ImportedComponent& made) {
  json::array artifacts;
  for (const ImportedArtifact& artifact : made.artifacts) {
    artifacts.push_back(json::object{{"from", artifact.from},
                                     {"uri", artifact.uri},
                                     {"sha256", artifact.sha256},
                                     {"size", artifact.size}});
  }
  return {{"componentName", made.component.name},
          {"componentVersion", made.component.version},
          {"arn", made.component.arn},
          {"artifacts", std::move(artifacts)}};
}

int import_component(const Options& options) {
  ServerClient server(options.server);
  Terminal terminal;
  json::array all;
  const auto private_addresses =
      options.private_addresses ? PrivateAddresses::allowed : PrivateAddresses::refused;
  for (const ImportedComponent& made :
       import_components(server, terminal, options.source, private_addresses)) {
    if (options.as_json) {
      all.push_back(to_json(made));
      continue;
    }
    fmt::print("{}\n", made.component.text());
    const json::object shown = to_json(made);
    for (const json::value& artifact : shown.at("artifacts").as_array()) {
      fmt::print("  {}  {}\n", text_of(artifact, "sha256"), text_of(artifact, "from"));
    }
  }
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"components", std::move(all)}}) << '\n';
  }
  return 0;
}

int delete_component(const Options& options) {
  if (options.name.find('@') == std::string::npos) {
    throw options::UsageError("name the version, too: NAME@1.0.0");
  }
  ServerClient server(options.server);
  const ComponentVersion component = find_component(server, options.name);
  confirm(fmt::format("Delete {}? Devices that run it go on; it cannot be deployed any more.",
                      component.text()),
          options.yes);
  (void)server->rest("greengrass", "DELETE", component_path(component.arn));
  return 0;
}

}  // namespace

void add_component_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* component = noun(app, "component", "Components: what is deployed to devices");
  const auto add = [&](const char* name, const char* help, int (*run)(const Options&)) {
    CLI::App* command = component->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Print one JSON object");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  add("list", "Components, each with its newest version", list_components);
  add("show", "A component's recipe", show_component)
      ->add_option("name", options->name, "NAME for the newest, or NAME@1.0.0")
      ->required();
  CLI::App* create =
      add("create", "Make a component of a recipe, of the inference program or of ONNX Runtime",
          create_component);
  create->add_option("name", options->name, "With --inspects: what it is called");
  create
      ->add_option("--recipe", options->recipe,
                   "A recipe, JSON or YAML; files that its artifacts name without a scheme lie "
                   "beside it and are uploaded")
      ->type_name("FILE");
  create
      ->add_option("--inspects", options->model,
                   "The component that has the model (scratches.Model): makes one that runs "
                   "andon-inspect with it")
      ->type_name("COMPONENT");
  create->add_option("--version", options->version,
                     "Its version (default: 1.0.0; with --runtime: what the library says)");
  create
      ->add_option("--program", options->program, "With --inspects: andon-inspect for the devices")
      ->type_name("FILE")
      ->default_str("the one beside andon");
  create->add_flag(
      "--runtime", options->is_runtime,
      fmt::format("Make {} of ONNX Runtime, which programs that inspect take it out of",
                  kRuntimeComponent));
  create
      ->add_option(
          "--library", options->libraries,
          "With --runtime: its library or the folder with it, one for each architecture of "
          "the devices")
      ->type_name("PATH")
      ->default_str("the one that andon works with");
  create->add_flag("--without-runtime", options->without_runtime,
                   "With --inspects: the devices have ONNX Runtime themselves");
  create->add_flag("--without-modules", options->without_modules,
                   "With --inspects: leave out the modules for cameras, Modbus and GPIO "
                   "(andon-inspect-*.so) that lie beside the program");
  CLI::App* import = add(
      "import",
      "Take a component that others have made: its artifacts are held against the recipe's digests "
      "and kept on the server",
      import_component);
  import
      ->add_option("source", options->source,
                   "A URL, a recipe's file, a folder (also one that `gdk component build` has "
                   "left), or a bundle of such a folder: .zip, .tar.gz")
      ->type_name("URL|PATH")
      ->required();
  import->add_flag("--private-addresses", options->private_addresses,
                   "Fetch artifacts that a recipe names at addresses of this machine or of its own "
                   "network, too");
  CLI::App* remove = add("delete", "Delete a version of a component", delete_component);
  remove->add_option("name", options->name, "NAME@1.0.0")->required();
  remove->add_flag("-y,--yes", options->yes, "Do not ask");
}

}  // namespace andon::cli
