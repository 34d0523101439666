// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/job_parameters.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

JobParameters read(std::string_view text) {
  return read_job_parameters(base::parse_json(text, "the test"));
}

std::string refusal(std::string_view text) {
  try {
    (void)read(text);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "it was taken";
}

TEST(JobParameters, AreReadAsTheyAreDocumented) {
  const JobParameters job = read(R"({"Command": ["python3", "train.py"],
      "Environment": {"EPOCHS": "3"},
      "Inputs": {"train.py": {"Bucket": "b", "Key": "k"}, "data/settings.json": {"Value": {"a": 1}},
                 "note.txt": {"Value": "as it is"}},
      "Outputs": {"out/model.onnx": {"Bucket": "b", "Key": "m"},
                  "out/small.onnx": {"Bucket": "b", "Key": "s", "Optional": true}},
      "TimeoutSeconds": 60, "HeartbeatSeconds": 9, "MemoryMiB": 512, "DiskMiB": 100,
      "Processes": 20, "Cpus": 1.5, "Ports": [443]})");
  EXPECT_THAT(job.order.command.arguments, ElementsAre("python3", "train.py"));
  EXPECT_EQ(job.order.command.environment.at("EPOCHS"), "3");
  ASSERT_EQ(job.inputs.size(), 3U);
  EXPECT_EQ(std::get<ObjectName>(job.inputs[0].content).key, "k");
  EXPECT_EQ(std::get<std::string>(job.inputs[1].content), R"({"a":1})");
  EXPECT_EQ(std::get<std::string>(job.inputs[2].content), "as it is");
  EXPECT_EQ(job.outputs.at(0).path, "out/model.onnx");
  EXPECT_EQ(job.outputs.at(0).presence, Presence::required);
  EXPECT_EQ(job.outputs.at(1).presence, Presence::optional);
  EXPECT_EQ(job.order.rules.limits.memory_bytes, 512U << 20U);
  EXPECT_EQ(job.order.rules.limits.cpus, 1.5);
  EXPECT_THAT(job.order.rules.ports, ElementsAre(443));
  EXPECT_EQ(job.order.heartbeat, std::chrono::seconds(9));
}

TEST(JobParameters, WhatIsWrongIsNamed) {
  EXPECT_THAT(refusal("{}"), HasSubstr("Command"));
  EXPECT_THAT(refusal("[]"), HasSubstr("Parameters"));
  EXPECT_THAT(refusal(R"({"Command": "ls"})"), HasSubstr("Command"));
  EXPECT_THAT(refusal(R"({"Command": [""]})"), HasSubstr("Command"));
  EXPECT_THAT(refusal(R"({"Command": ["a\u0000b"]})"), HasSubstr("NUL"));
  EXPECT_THAT(refusal(R"({"Command": ["a"], "Image": "x"})"), HasSubstr("Image"));
  EXPECT_THAT(refusal(R"({"Command": ["a"], "Environment": {"ANDON_X": "1"}})"),
              HasSubstr("ANDON_X"));
  EXPECT_THAT(refusal(R"({"Command": ["a"], "Environment": {"A=B": "1"}})"), HasSubstr("A=B"));
  for (const char* path : {"/etc/passwd", "../x", "a/../../x", "", "a//b", "./a", "a/"}) {
    EXPECT_THAT(
        refusal(R"({"Command": ["a"], "Inputs": {")" + std::string(path) + R"(": {"Value": 1}}})"),
        HasSubstr("no path below"))
        << path;
  }
  EXPECT_THAT(refusal(R"({"Command": ["a"], "Inputs": {"a": {"Bucket": "b"}}})"),
              HasSubstr("Inputs.a.Key"));
  EXPECT_THAT(refusal(R"({"Command": ["a"], "Inputs": {"a": 1}})"), HasSubstr("Inputs.a"));
  EXPECT_THAT(
      refusal(
          R"({"Command": ["a"], "Outputs": {"a": {"Bucket": "b", "Key": "k", "Optional": 1}}})"),
      HasSubstr("Outputs.a.Optional"));
  EXPECT_THAT(refusal(R"({"Command": ["a"], "Ports": [0]})"), HasSubstr("Ports"));
  EXPECT_THAT(refusal(R"({"Command": ["a"], "MemoryMiB": 0})"), HasSubstr("MemoryMiB"));
  EXPECT_THAT(refusal(R"({"Command": ["a"], "Cpus": 0})"), HasSubstr("Cpus"));
}

}  // namespace
}  // namespace andon::api
