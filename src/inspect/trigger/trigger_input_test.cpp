// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/trigger_input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/error/error.hpp"
#include "inspect/testing/waiting.hpp"
#include "inspect/trigger/edge_trigger.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class TriggerTest : public testing::Test {
 protected:
  wire::LocalHttpAnswer ask(const std::string& method, const std::string& path,
                            const std::string& body,
                            std::map<std::string, std::string> headers = {}) {
    return answer_trigger({method, path, std::move(headers), body}, callbacks_, Instant{});
  }

  std::vector<std::string> parts_;
  bool is_full_ = false;
  TriggerCallbacks callbacks_{
      .on_part = [this](std::string id, Instant) -> std::optional<std::string> {
        if (is_full_) return std::nullopt;
        if (id.empty()) id = "1";
        parts_.push_back(id);
        return id;
      },
      .status =
          [] {
            return base::json::object{{"parts", 3}};
          }};
};

TEST_F(TriggerTest, TakesAPartWithOrWithoutAnId) {
  EXPECT_EQ(ask("POST", "/trigger", R"({"part": "A-17"})").status, 202);
  EXPECT_EQ(ask("POST", "/trigger", " \n").status, 202);
  EXPECT_THAT(parts_, testing::ElementsAre("A-17", "1"));
  EXPECT_THAT(ask("GET", "/status", "").body, HasSubstr(R"("parts":3)"));
}

TEST_F(TriggerTest, SaysWhatIsWrong) {
  EXPECT_THAT(ask("POST", "/trigger", R"({"id": "A"})").body, HasSubstr("part"));
  EXPECT_EQ(ask("POST", "/trigger", "{").status, 400);
  EXPECT_EQ(ask("POST", "/trigger", R"({"part": "a\nb"})").status, 400);
  EXPECT_EQ(
      ask("POST", "/trigger", R"({"part": ")" + std::string(kMostPartIdBytes + 1, 'a') + "\"}")
          .status,
      400);
  EXPECT_EQ(ask("GET", "/trigger", "").status, 405);
  EXPECT_EQ(ask("POST", "/other", "").status, 404);
  is_full_ = true;
  EXPECT_EQ(ask("POST", "/trigger", "").status, 503);
  EXPECT_TRUE(parts_.empty());
}

TEST_F(TriggerTest, TakesNothingOfAPageInABrowser) {
  EXPECT_EQ(ask("POST", "/trigger", "", {{"origin", "http://elsewhere"}}).status, 403);
  EXPECT_TRUE(parts_.empty());
}

TriggerSettings read(std::string_view text) {
  const base::json::value value = base::parse_json(text, "test");
  return read_trigger(base::JsonReader(value, "trigger"));
}

TEST(TriggerSettings, SayWhatTriggers) {
  EXPECT_EQ(std::get<HttpTriggerSettings>(read(R"({"type": "http"})").input).address,
            "127.0.0.1:8093");
  const TriggerSettings modbus = read(
      R"({"type": "modbus", "host": "plc", "coil": 3, "edge": "falling", "pollMs": 5,
          "pictureTimeoutMs": 500, "cameraLatencyMs": 40})");
  EXPECT_EQ(
      std::get<ModbusTriggerSettings>(modbus.input),
      (ModbusTriggerSettings{{"plc", 502, 1}, ModbusTable::coil, 3, TriggerEdge::falling, 5ms}));
  EXPECT_EQ(modbus.picture_timeout, 500ms);
  EXPECT_EQ(modbus.camera_latency, 40ms);
  EXPECT_EQ(std::get<GpioTriggerSettings>(
                read(R"({"type": "gpio", "chip": "gpiochip0", "line": 4})").input)
                .place,
            (GpioPlace{"gpiochip0", 4, false}));
}

TEST(TriggerSettings, NameTheMemberThatIsWrong) {
  for (const auto& [text, member] : std::vector<std::pair<std::string, std::string>>{
           {R"({})", "type"},
           {R"({"type": "http", "host": "a"})", "host"},
           {R"({"type": "modbus", "host": "a"})", "input"},
           {R"({"type": "modbus", "host": "a", "input": 1, "coil": 1})", "input"},
           {R"({"type": "gpio", "chip": "a"})", "line"},
           {R"({"type": "http", "cameraLatencyMs": 5000})", "cameraLatencyMs"}}) {
    try {
      static_cast<void>(read(text));
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(member)) << text;
    }
  }
}

// An input whose cable is pulled once.
class FakeEdges final : public EdgeSource {
 public:
  [[nodiscard]] std::string name() const override { return "input"; }
  void open() override {
    if (++opened_ == 2) throw base::Error(base::ErrorCode::unavailable, "the cable is out");
  }
  [[nodiscard]] std::optional<Instant> wait() override {
    if (++waited_ == 3) throw base::Error(base::ErrorCode::unavailable, "the cable is out");
    return std::chrono::steady_clock::now();
  }

 private:
  int opened_ = 0;
  int waited_ = 0;
};

TEST(EdgeTrigger, GoesOnWhenItsPeerIsBack) {
  std::mutex mutex;
  int parts = 0;
  const EdgeTrigger trigger(std::make_unique<FakeEdges>(),
                            {.on_part =
                                 [&](const std::string&, Instant) {
                                   const std::lock_guard lock(mutex);
                                   ++parts;
                                   return std::optional<std::string>("1");
                                 },
                             .status = {}});
  EXPECT_TRUE(wait_until([&] {
    const std::lock_guard lock(mutex);
    return parts > 5;
  }));
}

}  // namespace
}  // namespace andon::inspect
