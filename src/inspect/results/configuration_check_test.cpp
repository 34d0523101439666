// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/configuration_check.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::inspect {
namespace {

const base::json::object kEvent{
    {"validateConfigurationUpdateEvent",
     base::json::object{{"deploymentId", "d1"},
                        {"configuration", base::json::object{{"model", "/m.onnx"}}}}}};

TEST(ConfigurationCheck, AcceptsWhatCanBeUsed) {
  std::string seen;
  const auto report =
      validity_report(kEvent, [&](const auto& value) { seen = base::to_text(value); });
  EXPECT_EQ(seen, R"({"model":"/m.onnx"})");
  EXPECT_EQ(base::to_text(report), R"({"deploymentId":"d1","status":"ACCEPTED"})");
}

TEST(ConfigurationCheck, RejectsWithTheReason) {
  const auto report = validity_report(kEvent, [](const auto&) {
    throw base::Error(base::ErrorCode::invalid_argument, "/m.onnx is no model");
  });
  EXPECT_EQ(base::to_text(report),
            R"({"deploymentId":"d1","status":"REJECTED","message":"/m.onnx is no model"})");
}

}  // namespace
}  // namespace andon::inspect
