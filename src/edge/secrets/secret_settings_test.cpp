// SPDX-License-Identifier: Apache-2.0
#include "edge/secrets/secret_settings.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::edge {
namespace {

SecretSettings read(std::string_view text) {
  return read_secret_settings(base::parse_json(text, "test").as_object());
}

TEST(SecretSettings, AreThoseOfTheSecretManager) {
  const SecretSettings settings = read(R"({
    "cloudSecrets": [
      {"arn": "arn:aws:secretsmanager:r:a:secret:line/mes-abcdef", "labels": ["BLUE", "AWSCURRENT"]},
      {"arn": "camera"}],
    "periodicRefreshIntervalMin": "60"})");
  EXPECT_EQ(settings.secrets,
            (std::map<std::string, std::vector<std::string>>{
                {"arn:aws:secretsmanager:r:a:secret:line/mes-abcdef", {"AWSCURRENT", "BLUE"}},
                {"camera", {"AWSCURRENT"}}}));
  EXPECT_EQ(settings.period, std::chrono::minutes(60));
}

TEST(SecretSettings, WithoutAnyThereAreNoneAndNoneIsAskedForAnew) {
  EXPECT_TRUE(read("{}").secrets.empty());
  EXPECT_FALSE(read("{}").period);
}

TEST(SecretSettings, WhatIsWrongIsNamed) {
  std::string many = R"({"cloudSecrets": [)";
  for (std::size_t i = 0; i <= SecretSettings::kMost; ++i) {
    many += (i == 0 ? R"({"arn": "s)" : R"(, {"arn": "s)") + std::to_string(i) + R"("})";
  }
  many += "]}";
  for (const std::string& text :
       {std::string(R"({"cloudSecrets": "camera"})"), std::string(R"({"cloudSecrets": [{}]})"),
        std::string(R"({"cloudSecrets": ["camera"]})"),
        std::string(R"({"cloudSecrets": [{"arn": ""}]})"),
        std::string(R"({"cloudSecrets": [{"arn": "camera", "labels": [""]}]})"),
        std::string(R"({"periodicRefreshIntervalMin": 0})"),
        R"({"cloudSecrets": [{"arn": ")" + std::string(3000, 'a') + R"("}]})", many}) {
    EXPECT_THROW((void)read(text), base::Error) << text.substr(0, 80);
  }
}

}  // namespace
}  // namespace andon::edge
