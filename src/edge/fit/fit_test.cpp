// SPDX-License-Identifier: Apache-2.0
#include "edge/fit/fit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recipe/recipe/recipe_parser.hpp"

namespace andon::edge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kMib = 1U << 20U;

recipe::Recipe for_platforms(const std::string& manifests) {
  return recipe::parse_recipe(R"({"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.ex.M",
    "ComponentVersion": "1.0.0", "Manifests": [)" +
                              manifests + "]}");
}

TEST(Fit, ARecipeWithoutAManifestForTheDeviceSaysWhatTheDeviceLacks) {
  const recipe::PlatformAttributes own{
      {"os", "linux"}, {"architecture", "amd64"}, {"avx2", "true"}, {"memory", "900"}};
  const auto recipe = for_platforms(
      R"({"Platform": {"os": "linux", "architecture": "amd64", "avx2": "true", "memory": ">=2048"}},
         {"Platform": {"os": "linux", "architecture": "aarch64"}})");
  const Finding found = platform_fit(recipe, own);
  EXPECT_EQ(found.verdict, Verdict::bad);
  EXPECT_THAT(found.text, AllOf(HasSubstr("ask for memory=>=2048 or architecture=aarch64"),
                                HasSubstr("memory=900")));
  EXPECT_EQ(
      platform_fit(for_platforms(R"({"Platform": {"os": "linux", "avx2": "true"}})"), own).verdict,
      Verdict::good);
}

TEST(Fit, ADiskThatIsTooSmallIsBadAndUnknownSizesAreDoubtful) {
  EXPECT_EQ(disk_fit(20 * kMib, 100 * kMib, 0).verdict, Verdict::good);
  EXPECT_EQ(disk_fit(20 * kMib, 100 * kMib, 2).verdict, Verdict::doubtful);
  const Finding full = disk_fit(100 * kMib + 1, 100 * kMib, 2);
  EXPECT_EQ(full.verdict, Verdict::bad);
  EXPECT_EQ(full.text, "101 MiB are needed, 100 MiB are free");
}

TEST(Fit, LatencyIsHeldAgainstWhatItMayBe) {
  std::vector<double> ms(100, 10.0);
  for (std::size_t i = 0; i < 10; ++i) ms[i] = 50.0;
  EXPECT_EQ(latency_fit(ms, std::nullopt).verdict, Verdict::good);
  EXPECT_EQ(latency_fit(ms, 60.0).verdict, Verdict::good);
  EXPECT_EQ(latency_fit(ms, 20.0).verdict, Verdict::doubtful);
  const Finding slow = latency_fit(ms, 9.0);
  EXPECT_EQ(slow.verdict, Verdict::bad);
  EXPECT_EQ(slow.text,
            "10.0 ms a picture of 640x480, 95 of 100 within 50.0 ms; it may take 9.0 ms");
  EXPECT_EQ(latency_fit({}, 9.0).verdict, Verdict::bad);
}

TEST(Fit, MemoryThatLeavesLittleIsDoubtful) {
  EXPECT_EQ(memory_fit(80'000, 100'000).verdict, Verdict::good);
  EXPECT_EQ(memory_fit(80'001, 100'000).verdict, Verdict::doubtful);
  EXPECT_EQ(memory_fit(100'001, 100'000).verdict, Verdict::bad);
  EXPECT_EQ(memory_fit(80'000, 0).verdict, Verdict::doubtful);
}

}  // namespace
}  // namespace andon::edge
