// SPDX-License-Identifier: Apache-2.0
// Room: component. Components on a server: made of a recipe with its files, of the inference
// program, listed, shown, deleted. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/terminal.hpp"

namespace andon::cli {

struct ComponentVersion {
  std::string name;
  std::string version;
  std::string arn;

  [[nodiscard]] std::string text() const { return name + "@" + version; }
};

// Of a component's operations; `below` as it stands in a URL, "/versions".
[[nodiscard]] std::string component_path(const std::string& arn, const std::string& below = "");

// The highest version first. Throws not_found for a component that is not there.
[[nodiscard]] std::vector<ComponentVersion> component_versions(ServerClient& server,
                                                               const std::string& name);
// "NAME" (its highest version) or "NAME@1.2.0".
[[nodiscard]] ComponentVersion find_component(ServerClient& server, const std::string& text);

// Its recipe, YAML.
[[nodiscard]] std::string recipe_text(ServerClient& server, const ComponentVersion& component);
// The same as devices get it, JSON: with the sizes and digests of its files.
[[nodiscard]] std::string served_recipe(ServerClient& server, const ComponentVersion& component);

// The files that a recipe names without a scheme ("program", "./model.onnx") lie beside it: they
// are uploaded and named by where they are then. Gives what was made.
[[nodiscard]] ComponentVersion create_from_recipe(ServerClient& server, Terminal& terminal,
                                                  const base::fs::path& recipe);

// A version of a component as CreateComponentVersion answers; what the server says of its recipe is
// told to the user.
[[nodiscard]] ComponentVersion created(const base::json::value& answer);

// A version of a component, of its whole recipe.
[[nodiscard]] ComponentVersion create_component_version(ServerClient& server,
                                                        const base::json::value& recipe);

struct InspectComponent {
  std::string name;     // scratches.Inspect
  std::string version;  // 1.0.0
  std::string model;    // the component whose model it uses: scratches.Model
  base::fs::path program;
  bool has_runtime = false;  // it takes ONNX Runtime out of component andon.OnnxRuntime
  bool has_modules = true;   // with those that inspect_modules() finds
};
// The modules of andon-inspect for videos and cameras, Modbus and GPIO (andon-inspect-*.so) that
// lie where the program itself looks for them, and are for its architecture. By name.
[[nodiscard]] std::vector<base::fs::path> inspect_modules(const base::fs::path& program);
// The inference program as a component, for the architecture that the program was made for.
[[nodiscard]] ComponentVersion create_inspect(ServerClient& server, Terminal& terminal,
                                              const InspectComponent& component);

}  // namespace andon::cli
