// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/env_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

namespace andon::cli {
namespace {

using testing::ElementsAre;

// What a shell has in `variable` after it has read the lines.
std::string in_a_shell(const std::string& lines, const std::string& variable) {
  const base::TemporaryDirectory directory;
  const auto script = directory.path() / "script";
  base::write_file_atomically(script, lines + "printf %s \"$" + variable + "\"\n");
  const std::string command = "AWS_SESSION_TOKEN=old sh " + script.string();
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  for (int c = fgetc(pipe.get()); c != EOF; c = fgetc(pipe.get())) out += static_cast<char>(c);
  return out;
}

TEST(Env, ShellLinesGiveAShellEachValueWhateverItHolds) {
  const Connection connection{.api_url = "https://host:1",
                              .ca_file = "/it's $(touch x) `here`\n/ca.crt",
                              .region = "eu-north-1",
                              .credentials = {"AKIA", "se/cr+et\"", ""}};
  const std::string lines = shell_lines(environment_of(connection));
  for (const auto& [name, value] : environment_of(connection)) {
    EXPECT_EQ(in_a_shell(lines, name), value) << name;
  }
  EXPECT_EQ(in_a_shell(lines, "AWS_SESSION_TOKEN"), "");
}

TEST(Env, NamesEndpointRegionKeysAndCa) {
  const auto environment = environment_of({.api_url = "http://127.0.0.1:8080",
                                           .ca_file = "/data/../d/ca/ca.crt",
                                           .region = "us-east-1",
                                           .credentials = {"AKIA", "secret", ""}});
  EXPECT_THAT(environment, ElementsAre(std::pair("AWS_ACCESS_KEY_ID", "AKIA"),
                                       std::pair("AWS_SECRET_ACCESS_KEY", "secret"),
                                       std::pair("AWS_DEFAULT_REGION", "us-east-1"),
                                       std::pair("AWS_REGION", "us-east-1"),
                                       std::pair("AWS_ENDPOINT_URL", "http://127.0.0.1:8080"),
                                       std::pair("AWS_CA_BUNDLE", "/d/ca/ca.crt")));
}

TEST(Env, SageMakersConfigurationHasTheBucketOfRegionAndAccountAndNoTelemetry) {
  EXPECT_EQ(sagemaker_configuration({.api_url = "http://127.0.0.1:8080",
                                     .ca_file = "ca.crt",
                                     .region = "eu-north-1",
                                     .credentials = {"AKIA", "secret", ""}}),
            "# Written by `andon env --sagemaker`: without it SageMaker's Python SDK asks hosts of "
            "AWS\n# for the account's number, and tells them what it is used for.\n"
            "SchemaVersion: \"1.0\"\nSageMaker:\n  PythonSDK:\n    Modules:\n"
            "      TelemetryOptOut: true\n      Session:\n"
            "        DefaultS3Bucket: sagemaker-eu-north-1-000000000000\n");
}

}  // namespace
}  // namespace andon::cli
