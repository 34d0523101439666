// SPDX-License-Identifier: Apache-2.0
#include "builds/spec/buildspec.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::builds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(BuildSpecTest, IsReadWithAllThatIsHonoured) {
  const BuildSpec spec = parse_buildspec(R"(
version: 0.2
env:
  shell: sh
  variables: {A: 1, B: "x y"}
  parameter-store: {P: /a/b}
  secrets-manager: {S: "name:key"}
  exported-variables: [A]
phases:
  install: {runtime-versions: {python: 3.11}, commands: [one, two]}
  build:
    on-failure: CONTINUE
    commands:
      - |
        echo a
        echo b
    finally: three
artifacts: {files: ["**/*"], exclude-paths: [x], base-directory: out, discard-paths: yes, name: n}
)");
  EXPECT_EQ(spec.shell, "sh");
  EXPECT_THAT(spec.variables, ElementsAre(Pair("A", "1"), Pair("B", "x y")));
  EXPECT_THAT(spec.parameters, ElementsAre(Pair("P", "/a/b")));
  EXPECT_THAT(spec.secrets, ElementsAre(Pair("S", "name:key")));
  EXPECT_THAT(spec.exported, ElementsAre("A"));
  EXPECT_THAT(spec.phases[0].commands, ElementsAre("one", "two"));
  EXPECT_THAT(spec.phases[2].commands, ElementsAre("echo a\necho b\n"));
  EXPECT_THAT(spec.phases[2].finally, ElementsAre("three"));
  EXPECT_EQ(spec.phases[2].on_failure, Phase::OnFailure::go_on);
  ASSERT_TRUE(spec.artifacts);
  EXPECT_THAT(spec.artifacts->files, ElementsAre("**/*"));
  EXPECT_TRUE(spec.artifacts->discards_paths);
  EXPECT_TRUE(parse_buildspec(R"({"version": 0.2})").phases[0].commands.empty());
}

TEST(BuildSpecTest, WhatIsNotHonouredIsRefusedByItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"version: 0.1\n", "version"},
      {"phases: {}\n", "version"},
      {"version: 0.2\ncache: {}\n", "cache"},
      {"version: 0.2\nbatch: {}\n", "batch"},
      {"version: 0.2\nphases: {deploy: {}}\n", "phases.deploy"},
      {"version: 0.2\nphases: {build: {commands: [[a]]}}\n", "phases.build.commands"},
      {"version: 0.2\nphases: {build: {run-as: root}}\n", "phases.build.run-as"},
      {"version: 0.2\nphases: {build: {runtime-versions: {python: 3}}}\n", "runtime-versions"},
      {"version: 0.2\nphases: {install: {runtime-versions: {java: 17}}}\n", "java"},
      {"version: 0.2\nenv: {shell: powershell}\n", "env.shell"},
      {"version: 0.2\nenv: {variables: {\"1a\": x}}\n", "1a"},
      {"version: 0.2\nenv: {exported-variables: [\"a;b\"]}\n", "a;b"},
      {"version: 0.2\nartifacts: {name: x}\n", "artifacts.files"},
      {"version: 0.2\nartifacts: {files: [a], secondary-artifacts: {}}\n", "secondary-artifacts"},
      {"version: [\n", "line"},
      {"- a\n", "must be a mapping"},
  };
  for (const auto& [text, word] : cases) {
    try {
      (void)parse_buildspec(text);
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr("YAML_FILE_ERROR"));
      EXPECT_THAT(error.message(), HasSubstr(word)) << text;
    }
  }
}

TEST(BuildScriptTest, NothingInACommandOrAVariableHasAMeaningOfItsOwnInTheScript) {
  BuildSpec spec;
  spec.phases[2].commands = {"echo 'a'; $(b)"};
  const auto files = scripts_of(spec, {{"V", "it's $HOME `id`"}});
  EXPECT_THAT(files.at(".andon/env"), "export V='it'\\''s $HOME `id`'\n");
  EXPECT_THAT(files.at(".andon/BUILD.sh"), HasSubstr("eval 'echo '\\''a'\\''; $(b)'"));
  EXPECT_FALSE(files.contains(".andon/INSTALL.sh"));
}

TEST(BuildPhasesTest, AreReadWhateverTheBuildHasMadeOfThem) {
  const auto phases = read_phases(
      "INSTALL 1000 0 0\nINSTALL 1000 2000 0 \nnonsense\nBUILD 2000 0 0\nBUILD 2000 3000 7 exit "
      "7\nDEPLOY 1 2 0\nPOST_BUILD -5 1 0\nPOST_BUILD x\n\n");
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[0].phase, "INSTALL");
  EXPECT_EQ(phases[0].ended_ms, 2000);
  EXPECT_EQ(phases[1].code, 7);
  EXPECT_EQ(phases[1].command, "exit 7");
}

}  // namespace
}  // namespace andon::builds
