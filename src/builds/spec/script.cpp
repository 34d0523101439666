// SPDX-License-Identifier: Apache-2.0
// Buildspecs as shell scripts: sh runs the phases in their order, each in a shell of its own that
// begins with the variables and the directory that the one before has left.
#include <algorithm>

#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "builds/spec/buildspec.hpp"

namespace andon::builds {
namespace {

constexpr std::size_t kMostPhases = 64;
constexpr std::size_t kMostCommand = 2'000;

// For every shell: nothing in it has a meaning.
std::string shell_word(std::string_view text) {
  std::string safe = "'";
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else {
      safe += c;
    }
  }
  return safe + "'";
}

std::string exports(const std::map<std::string, std::string>& variables) {
  std::string text;
  for (const auto& [name, value] : variables) {
    text += "export " + name + "=" + shell_word(value) + "\n";
  }
  return text;
}

constexpr std::string_view kBegin = R"sh(state=/job/.andon
. "$state/env"
cd "$(cat "$state/cwd")" || exit 1
CODEBUILD_BUILD_SUCCEEDING=$(cat "$state/succeeding")
export CODEBUILD_BUILD_SUCCEEDING
andon_end() {
  andon_code=$?
  export -p > "$state/env.new" && mv "$state/env.new" "$state/env"
  pwd > "$state/cwd"
  exit "$andon_code"
}
trap andon_end EXIT
)sh";

void add_commands(std::string& script, const std::vector<std::string>& commands, bool counts) {
  for (const std::string& command : commands) {
    const std::string text = shell_word(command);
    script += "printf '[Container] Running command %s\\n' " + text + "\n";
    if (!counts) {
      script += "eval " + text + "\n";
      continue;
    }
    script += "printf '%s' " + text + " > \"$state/command\"\neval " + text +
              "\nandon_code=$?\nif [ $andon_code -ne 0 ]; then exit $andon_code; fi\n";
  }
}

// The phases, one after the other; which of them are wanted after a failure is in $on_X.
constexpr std::string_view kDriver = R"sh(state=/job/.andon
now() { date +%s%3N; }
ended=0
failed=0
for phase in INSTALL PRE_BUILD BUILD POST_BUILD; do
  [ $ended = 1 ] && break
  start=$(now)
  printf '%s %s 0 0\n' $phase "$start" >> "$state/phases"
  printf '[Container] Entering phase %s\n' $phase
  : > "$state/command"
  code=0
  printf '%s' $((1 - failed)) > "$state/succeeding"
  if [ -f "$state/$phase.sh" ]; then
    "$shell" "$state/$phase.sh"
    code=$?
    if [ -f "$state/$phase.finally.sh" ]; then
      cp "$state/command" "$state/kept"
      "$shell" "$state/$phase.finally.sh"
      mv "$state/kept" "$state/command"
    fi
  fi
  command=
  [ $code -ne 0 ] && command=$(tr '\n\r' '  ' < "$state/command" | cut -c 1-1000)
  printf '%s %s %s %s %s\n' $phase "$start" "$(now)" $code "$command" >> "$state/phases"
  if [ $code -ne 0 ]; then
    printf '[Container] Phase complete: %s State: FAILED\n' $phase
    printf '[Container] Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: %s. Reason: exit status %s\n' "$command" $code
    case $phase in
      INSTALL) wish=$on_INSTALL ;;
      PRE_BUILD) wish=$on_PRE_BUILD ;;
      BUILD) wish=$on_BUILD ;;
      *) wish=$on_POST_BUILD ;;
    esac
    if [ "$wish" != go_on ]; then
      failed=1
      # After a build that failed post_build is run still.
      if [ $phase != BUILD ] || [ "$wish" = abort ]; then ended=1; fi
    fi
  else
    printf '[Container] Phase complete: %s State: SUCCEEDED\n' $phase
  fi
done
[ $failed = 0 ] || exit 1
)sh";

constexpr std::string_view kCollect = R"sh(shopt -s globstar dotglob nullglob
mkdir -p /job/.andon/artifacts
put() {
  [ -f "$1" ] && [ ! -L "$1" ] || return 0
  for one in "${excluded[@]}"; do
    # shellcheck disable=SC2053
    [[ $1 == $one ]] && return 0
  done
  if [ $discards = 1 ]; then
    cp -p -- "$1" "/job/.andon/artifacts/$(basename -- "$1")"
  else
    case $1 in /*|../*|*/../*) echo "artifacts: $1 is not below the base directory" >&2; exit 1 ;; esac
    mkdir -p -- "/job/.andon/artifacts/$(dirname -- "$1")" && cp -p -- "$1" "/job/.andon/artifacts/$1"
  fi
}
found=0
IFS=
for pattern in "${files[@]}"; do
  for file in $pattern; do
    if [ -f "$file" ]; then found=1; put "$file" || exit 1; fi
  done
done
if [ $found = 0 ]; then echo "no matching artifact paths found" >&2; exit 1; fi
)sh";

std::string list_of(const char* name, const std::vector<std::string>& words) {
  std::string text = std::string(name) + "=(";
  for (const std::string& word : words) text += " " + shell_word(word);
  return text + " )\n";
}

std::string word_of(Phase::OnFailure wish) {
  switch (wish) {
    case Phase::OnFailure::abort:
      return "abort";
    case Phase::OnFailure::go_on:
      return "go_on";
    case Phase::OnFailure::usual:
      break;
  }
  return "usual";
}

std::string driver_of(const BuildSpec& spec) {
  std::string text = "#!/bin/sh\nshell=" + spec.shell + "\n";
  for (std::size_t i = 0; i < kPhases.size(); ++i) {
    text += "on_" + std::string(kPhases[i]) + "=" + word_of(spec.phases[i].on_failure) + "\n";
  }
  text += kDriver;
  if (!spec.exported.empty()) {
    text += "\"$shell\" \"$state/exported.sh\" > \"$state/exported\"\n";
  }
  if (spec.artifacts) text += "bash \"$state/collect.sh\" || exit 2\n";
  return text;
}

}  // namespace

std::map<std::string, std::string> scripts_of(
    const BuildSpec& spec, const std::map<std::string, std::string>& environment) {
  std::map<std::string, std::string> files;
  const std::string state = std::string(kStateDirectory) + "/";
  files[kScriptFile] = driver_of(spec);
  std::map<std::string, std::string> variables = spec.variables;
  for (const auto& [name, value] : environment) variables[name] = value;
  files[state + "env"] = exports(variables);
  files[state + "cwd"] = "/job/src\n";
  for (std::size_t i = 0; i < kPhases.size(); ++i) {
    const Phase& phase = spec.phases[i];
    const std::string file = state + std::string(kPhases[i]);
    if (!phase.commands.empty() || !phase.finally.empty()) {
      std::string script(kBegin);
      add_commands(script, phase.commands, /*counts=*/true);
      files[file + ".sh"] = script;
    }
    if (phase.finally.empty()) continue;
    std::string script(kBegin);
    add_commands(script, phase.finally, /*counts=*/false);
    files[file + ".finally.sh"] = script;
  }
  if (!spec.exported.empty()) {
    std::string script = ". /job/.andon/env\n";
    for (const std::string& name : spec.exported) {
      script +=
          "printf '%s=%s\\n' " + name + " \"$(printf '%s' \"${" + name + "}\" | base64 -w 0)\"\n";
    }
    files[state + "exported.sh"] = script;
  }
  if (spec.artifacts) {
    const SpecArtifacts& artifacts = *spec.artifacts;
    std::string script = ". /job/.andon/env\ncd /job/src || exit 1\n";
    // The base directory may be a pattern, too.
    if (!artifacts.base_directory.empty()) {
      script += "base=" + shell_word(artifacts.base_directory) +
                "\nshopt -s nullglob\nplaces=( $base )\ncd -- \"${places[0]:-$base}\" || exit 1\n";
    }
    script += list_of("files", artifacts.files) + list_of("excluded", artifacts.excluded) +
              "discards=" + (artifacts.discards_paths ? "1" : "0") + "\n" + std::string(kCollect);
    files[state + "collect.sh"] = script;
  }
  return files;
}

std::vector<PhaseEnd> read_phases(std::string_view text) {
  std::vector<PhaseEnd> all;
  for (const std::string_view line : base::split(text, '\n')) {
    std::string_view rest = line;
    PhaseEnd one{.phase = std::string(base::take_part(rest, ' '))};
    const auto started = base::parse_integer<std::int64_t>(base::take_part(rest, ' '));
    const auto ended = base::parse_integer<std::int64_t>(base::take_part(rest, ' '));
    const auto code = base::parse_integer<std::int64_t>(base::take_part(rest, ' '));
    constexpr std::int64_t kLatest = 253'402'300'799'999;  // of the year 9999
    const bool is_known = std::find(kPhases.begin(), kPhases.end(), one.phase) != kPhases.end();
    const auto fits = [](std::int64_t time) { return time >= 0 && time <= kLatest; };
    if (!is_known || !started || !ended || !code || !fits(*started) || !fits(*ended)) continue;
    one.started_ms = *started;
    one.ended_ms = *ended;
    one.code = static_cast<int>(*code & 0xFF);
    one.command = base::to_valid_utf8(rest.substr(0, kMostCommand));
    // What it said at its end stands for what it said at its beginning.
    const auto same = std::find_if(
        all.begin(), all.end(), [&one](const PhaseEnd& other) { return other.phase == one.phase; });
    if (same != all.end()) {
      *same = std::move(one);
    } else if (all.size() < kMostPhases) {
      all.push_back(std::move(one));
    }
  }
  return all;
}

}  // namespace andon::builds
