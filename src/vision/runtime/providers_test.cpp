// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/providers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Providers, AreKnownByLongAndShortNames) {
  EXPECT_EQ(parse_provider("cuda").name, "CUDA");
  EXPECT_EQ(parse_provider("OpenVINOExecutionProvider").name, "OpenVINO");
  EXPECT_EQ(parse_provider("Something").name, "Something");
  EXPECT_THAT(parse_provider("CUDA").keys, IsEmpty());
}

TEST(Providers, TakeOptionsOfTheirOwn) {
  const ProviderChoice choice =
      parse_provider("openvino:device_type=AUTO:GPU;num_streams=2;cache_dir=");
  EXPECT_EQ(choice.name, "OpenVINO");
  EXPECT_THAT(choice.keys, ElementsAre("device_type", "num_streams", "cache_dir"));
  EXPECT_THAT(choice.values, ElementsAre("AUTO:GPU", "2", ""));
}

TEST(Providers, AreToldHowMuchRunsAtOnceWhereTheyMustBe) {
  ProviderChoice openvino = parse_provider("OpenVINO");
  add_parallelism(openvino, 2, 3);
  EXPECT_THAT(openvino.keys, ElementsAre("num_of_threads", "num_streams"));
  EXPECT_THAT(openvino.values, ElementsAre("6", "3"));
  ProviderChoice chosen = parse_provider("OpenVINO:num_of_threads=1");
  add_parallelism(chosen, 2, 3);
  EXPECT_THAT(chosen.values, ElementsAre("1", "3"));
  ProviderChoice cuda = parse_provider("CUDA");
  add_parallelism(cuda, 2, 3);
  EXPECT_THAT(cuda.keys, IsEmpty());
}

TEST(Providers, RefuseOptionsThatAreNotPairs) {
  for (const char* text : {"CUDA:fast", "CUDA:=1", "CUDA:device_id=1;;a=b"}) {
    try {
      (void)parse_provider(text);
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr("NAME:KEY=VALUE"));
    }
  }
}

}  // namespace
}  // namespace andon::vision
