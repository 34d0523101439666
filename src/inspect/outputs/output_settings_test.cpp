// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/output_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::vector<OutputSettings> read(std::string_view text) {
  const base::json::value value = base::parse_json(text, "test");
  return read_outputs(base::JsonReader(value, ""));
}

std::string problem(std::string_view output) {
  try {
    static_cast<void>(read(R"({"outputs": [)" + std::string(output) + "]}"));
  } catch (const base::Error& error) {
    return error.message();
  }
  return "";
}

TEST(OutputSettings, SayWhatIsTold) {
  const auto outputs = read(R"({"outputs": [
    {"name": "reject", "type": "modbus", "host": "10.0.0.5", "coil": 17, "deadlineMs": 200,
     "delayMs": 50, "leadMs": 20, "pulseMs": 30},
    {"name": "count", "type": "modbus", "host": "plc", "port": 1502, "unit": 3, "register": 40,
     "value": 7, "rest": 1},
    {"name": "lamp", "type": "gpio", "chip": "gpiochip0", "line": 4, "activeLow": true,
     "pulseMs": 0, "verdicts": ["NG", "DOUBT"]},
    {"name": "mes", "type": "http", "url": "http://mes/part", "headers": {"X-Key": "k"}},
    {"name": "all", "type": "mqtt", "topic": "line/1", "to": "device"},
    {"name": "run", "type": "command", "command": ["/bin/true", "--now"], "atOnce": 4}]})");
  ASSERT_EQ(outputs.size(), 6U);
  EXPECT_EQ(outputs[0].deadline, 200ms);
  EXPECT_EQ(outputs[0].delay, 50ms);
  EXPECT_EQ(outputs[0].lead, 20ms);
  EXPECT_EQ(outputs[0].pulse, 30ms);
  EXPECT_TRUE(outputs[0].is_for(Judgement::ng));
  EXPECT_FALSE(outputs[0].is_for(Judgement::doubt));
  EXPECT_EQ(std::get<ModbusOutput>(outputs[0].target),
            (ModbusOutput{{"10.0.0.5", 502, 1}, ModbusTable::coil, 17, 1, 0}));
  EXPECT_EQ(std::get<ModbusOutput>(outputs[1].target),
            (ModbusOutput{{"plc", 1502, 3}, ModbusTable::holding_register, 40, 7, 1}));
  EXPECT_EQ(std::get<GpioOutput>(outputs[2].target).place, (GpioPlace{"gpiochip0", 4, true}));
  EXPECT_TRUE(outputs[2].is_for(Judgement::doubt));
  EXPECT_EQ(std::get<HttpOutput>(outputs[3].target).headers.at("X-Key"), "k");
  EXPECT_TRUE(outputs[3].is_for(Judgement::ok));
  EXPECT_TRUE(std::get<MqttOutput>(outputs[4].target).is_local);
  EXPECT_EQ(std::get<CommandOutput>(outputs[5].target).arguments.back(), "--now");
  EXPECT_EQ(outputs[5].at_once, 4U);
}

TEST(OutputSettings, NameTheMemberThatIsWrong) {
  const std::string modbus = R"("name": "a", "type": "modbus", "host": "h", "coil": 1)";
  for (const auto& [output, part] : std::vector<std::pair<std::string, std::string>>{
           {R"({"type": "modbus"})", "name"},
           {R"({"name": "a"})", "type"},
           {R"({"name": "a", "type": "smoke"})", "type"},
           {"{" + modbus + R"(, "register": 2})", "coil"},
           {"{" + modbus + R"(, "value": 2})", "value"},
           {"{" + modbus + R"(, "deadlineMs": 0})", "deadlineMs"},
           {"{" + modbus + R"(, "deadlineMs": 50, "delayMs": 50})", "delayMs"},
           {"{" + modbus + R"(, "deadlineMs": 50, "leadMs": 50})", "leadMs"},
           {"{" + modbus + R"(, "verdicts": []})", "verdicts"},
           {"{" + modbus + R"(, "verdicts": ["MAYBE"]})", "verdicts"},
           {"{" + modbus + R"(, "url": "http://x"})", "url"},
           {R"({"name": "a", "type": "http", "url": "ftp://x"})", "url"},
           {R"({"name": "a", "type": "http", "url": "http://x", "headers": {"A": "b\r\nC: d"}})",
            "headers"},
           {R"({"name": "a", "type": "mqtt", "topic": "a/#"})", "topic"},
           {R"({"name": "a", "type": "command", "command": []})", "command"},
           {R"({"name": "a", "type": "command", "command": "rm -rf /"})", "command"},
           {R"({"name": "a", "type": "gpio", "chip": "gpiochip0"})", "line"},
           {"{" + modbus + "}, {" + modbus + "}", "name"}}) {
    EXPECT_THAT(problem(output), HasSubstr(part)) << output;
  }
}

TEST(OutputSettings, HaveABound) {
  std::string many = R"({"name": "0", "type": "mqtt", "topic": "a"})";
  for (std::size_t i = 1; i <= kMostOutputs; ++i) {
    many += R"(, {"name": ")" + std::to_string(i) + R"(", "type": "mqtt", "topic": "a"})";
  }
  EXPECT_THAT(problem(many), HasSubstr("outputs"));
}

TEST(OutputSettings, GiveTheFailSafeVerdictWithinShortDeadlinesToo) {
  const auto outputs = read(R"({"outputs": [
    {"name": "a", "type": "mqtt", "topic": "a", "deadlineMs": 8}]})");
  EXPECT_EQ(outputs.front().lead, 4ms);
  EXPECT_EQ(read(R"({"outputs": [{"name": "a", "type": "mqtt", "topic": "a"}]})").front().lead,
            100ms);
}

}  // namespace
}  // namespace andon::inspect
