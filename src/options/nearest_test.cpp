// SPDX-License-Identifier: Apache-2.0
#include "options/nearest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace andon::options {
namespace {

TEST(Nearest, FindsWhatWasMeantAndNothingWhereNothingIsNear) {
  const std::vector<std::string> names = {"asl",       "demo",   "device",    "model",
                                          "--timeout", "--once", "--threads", "-h"};
  const std::pair<const char*, const char*> table[] = {
      {"dmeo", "demo"},
      {"demos", "demo"},
      {"DEMO", "demo"},
      {"devcie", "device"},
      {"--tiemout", "--timeout"},
      {"--time", "--timeout"},
      {"--thread", "--threads"},
      {"--oncee", "--once"},
      {"frobnicate", ""},
      {"--x", ""},
      {"-", ""},
      {"", ""},
      {"xyz", ""},
      {"----", ""},
  };
  for (const auto& [typed, expected] : table) {
    EXPECT_EQ(nearest(typed, names).value_or(""), expected) << typed;
  }
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), names), std::nullopt);
  EXPECT_EQ(nearest("demo", {}), std::nullopt);
}

TEST(Nearest, TakesTheNearestNotTheFirst) {
  const std::vector<std::string> names = {"models", "modes", "mode"};
  EXPECT_EQ(nearest("mode", names), "mode");
  EXPECT_EQ(nearest("modde", names), "mode");
}

}  // namespace
}  // namespace andon::options
