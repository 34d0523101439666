// SPDX-License-Identifier: Apache-2.0
// Room: spec. What CodeBuild runs: a buildspec (version 0.2, YAML or JSON), and the shell script
// that does it in a sandbox. What is not honoured is refused by its name. Pure; any thread.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::builds {

// In their order; as BatchGetBuilds names them.
inline constexpr std::array<std::string_view, 4> kPhases = {"INSTALL", "PRE_BUILD", "BUILD",
                                                            "POST_BUILD"};

struct Phase {
  enum class OnFailure { usual, abort, go_on };
  std::vector<std::string> commands;
  std::vector<std::string> finally;
  OnFailure on_failure = OnFailure::usual;
};

struct SpecArtifacts {
  std::vector<std::string> files;
  std::vector<std::string> excluded;
  std::string base_directory;  // empty: the source's
  std::string name;            // empty: none
  bool discards_paths = false;
};

struct BuildSpec {
  std::string shell = "bash";  // or sh
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> parameters;  // variable -> name in the parameter store
  std::map<std::string, std::string> secrets;     // variable -> id:json-key:stage:version
  std::vector<std::string> exported;
  std::array<Phase, kPhases.size()> phases;
  std::optional<SpecArtifacts> artifacts;
};

// Throws invalid_argument with the place of what is wrong.
[[nodiscard]] BuildSpec parse_buildspec(std::string_view text);

// Where a build finds things in its sandbox, and what it leaves there for the server.
inline constexpr const char* kSourceDirectory = "src";          // below /job
inline constexpr const char* kStateDirectory = ".andon";        // below /job
inline constexpr const char* kScriptFile = ".andon/build.sh";   // run by sh
inline constexpr const char* kPhasesFile = ".andon/phases";     // a line a phase that is over
inline constexpr const char* kExportsFile = ".andon/exported";  // name=base64 lines
inline constexpr const char* kArtifacts = ".andon/artifacts";   // files, as they are to be stored

// The files below /job that run it, by path. `environment` counts before the buildspec's own
// variables and behind what is in the process already.
[[nodiscard]] std::map<std::string, std::string> scripts_of(
    const BuildSpec& spec, const std::map<std::string, std::string>& environment);

struct PhaseEnd {
  std::string phase;
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;  // 0: it runs
  int code = 0;               // of the command that failed; 0: none did
  std::string command;        // that one
};
// What a build has written of its phases; whatever it has made of the file.
[[nodiscard]] std::vector<PhaseEnd> read_phases(std::string_view text);

}  // namespace andon::builds
