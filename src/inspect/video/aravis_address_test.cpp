// SPDX-License-Identifier: Apache-2.0
#include "inspect/video/aravis_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::inspect {
namespace {

TEST(AravisAddress, NamesACameraAndItsFeaturesInTheirOrder) {
  EXPECT_EQ(read_aravis_address("aravis://192.168.3.7"), (AravisAddress{"192.168.3.7", {}}));
  EXPECT_EQ(read_aravis_address("aravis://The%20Vendor-21438546?"),
            (AravisAddress{"The Vendor-21438546", {}}));
  EXPECT_EQ(
      read_aravis_address(
          "aravis://"
          "10.0.0.2?UserSetLoad&TriggerSelector=FrameStart&TriggerMode=On&Gain=1.5&Tag=a%26b"),
      (AravisAddress{"10.0.0.2",
                     {{"UserSetLoad", ""},
                      {"TriggerSelector", "FrameStart"},
                      {"TriggerMode", "On"},
                      {"Gain", "1.5"},
                      {"Tag", "a&b"}}}));
}

TEST(AravisAddress, SaysWhatIsWrong) {
  const std::string long_name(300, 'n');
  std::string many = "aravis://camera?";
  for (int i = 0; i < 65; ++i) many += "Gain=1&";
  for (const auto& [text, why] : {std::pair<std::string, std::string>{"rtsp://camera", "aravis://"},
                                  {"aravis://", "name is missing"},
                                  {"aravis://?Gain=1", "name is missing"},
                                  {"aravis://camera?=1", "no name of a feature"},
                                  {"aravis://camera?Gain&&Gain", "no name of a feature"},
                                  {"aravis://camera?Ga%20in=1", "'Ga in' is no name"},
                                  {"aravis://camera?Gain=%zz", "percent-encoded"},
                                  {"aravis://camera%0A", "control characters"},
                                  {"aravis://" + long_name, "more than 256 bytes"},
                                  {many, "more than 64 features"}}) {
    try {
      (void)read_aravis_address(text);
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), testing::HasSubstr(why));
    }
  }
}

}  // namespace
}  // namespace andon::inspect
