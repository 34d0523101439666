// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/switch_driver.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

// A coil or a line, and its cable.
struct Device {
  bool is_connected = true;
  bool is_open = false;
  bool is_on = false;
  int sets = 0;
};

class FakeSwitch final : public Switch {
 public:
  explicit FakeSwitch(Device& device) : device_(device) {}
  [[nodiscard]] bool is_open() const override { return device_.is_open; }
  void open(bool is_on, Instant deadline) override {
    device_.is_open = true;
    set(is_on, deadline);
  }
  void set(bool is_on, Instant) override {
    if (!device_.is_connected) fail();
    device_.is_on = is_on;
    ++device_.sets;
  }
  void check(Instant) override {
    if (!device_.is_connected) fail();
  }

 private:
  [[noreturn]] void fail() {
    device_.is_open = false;
    throw base::Error(base::ErrorCode::unavailable, "the cable is out");
  }
  Device& device_;
};

class SwitchDriverTest : public testing::Test {
 protected:
  [[nodiscard]] SwitchDriver driver(std::chrono::milliseconds pulse) {
    OutputSettings settings;
    settings.name = "reject";
    settings.verdicts = {Judgement::ng};
    settings.pulse = pulse;
    return {settings, std::make_unique<FakeSwitch>(device_)};
  }
  static PartVerdict part(Judgement judgement) {
    PartVerdict part;
    part.verdict.judgement = judgement;
    return part;
  }
  static Instant soon() { return std::chrono::steady_clock::now() + 1h; }
  // What is due by then.
  static void run_until(SwitchDriver& driver, Instant until) {
    for (auto at = driver.upkeep_at(); at && *at <= until; at = driver.upkeep_at()) {
      driver.upkeep(std::max(*at, std::chrono::steady_clock::now()));
    }
  }

  Device device_;
};

TEST_F(SwitchDriverTest, IsOnForAPulse) {
  SwitchDriver driver = this->driver(20ms);
  driver.give(part(Judgement::ng), soon());
  EXPECT_TRUE(device_.is_on);
  EXPECT_FALSE(driver.is_at_rest());
  driver.upkeep(std::chrono::steady_clock::now() + 20ms);
  EXPECT_FALSE(device_.is_on);
  EXPECT_TRUE(driver.is_at_rest());
}

TEST_F(SwitchDriverTest, StaysOnForPulsesThatOverlap) {
  SwitchDriver driver = this->driver(1h);
  driver.give(part(Judgement::ng), soon());
  const Instant first_end = *driver.upkeep_at();
  driver.give(part(Judgement::ng), soon());
  driver.upkeep(std::min(first_end, std::chrono::steady_clock::now()));
  EXPECT_TRUE(device_.is_on);
}

TEST_F(SwitchDriverTest, ShowsTheLastVerdictWhereThereIsNoPulse) {
  SwitchDriver driver = this->driver(0ms);
  driver.give(part(Judgement::ng), soon());
  EXPECT_TRUE(device_.is_on);
  EXPECT_TRUE(driver.is_at_rest());
  driver.give(part(Judgement::ok), soon());
  EXPECT_FALSE(device_.is_on);
}

TEST_F(SwitchDriverTest, NeverTellsLaterWhatItCouldNotTellInTime) {
  SwitchDriver driver = this->driver(20ms);
  device_.is_connected = false;
  EXPECT_THROW(driver.give(part(Judgement::ng), soon()), base::Error);
  device_.is_connected = true;
  run_until(driver, std::chrono::steady_clock::now() + 200ms);
  EXPECT_TRUE(device_.is_open);
  EXPECT_FALSE(device_.is_on);
}

TEST_F(SwitchDriverTest, FindsAPeerThatWasStartedAnewAtTheNextPart) {
  SwitchDriver driver = this->driver(20ms);
  driver.give(part(Judgement::ng), soon());
  driver.upkeep(std::chrono::steady_clock::now() + 20ms);
  device_.is_open = false;  // it closed the connection
  driver.give(part(Judgement::ng), soon());
  EXPECT_TRUE(device_.is_on);
}

TEST_F(SwitchDriverTest, SetsBackWhatStayedOnBehindABrokenCable) {
  SwitchDriver driver = this->driver(20ms);
  driver.give(part(Judgement::ng), soon());
  device_.is_connected = false;
  driver.upkeep(std::chrono::steady_clock::now() + 20ms);
  EXPECT_TRUE(device_.is_on);
  EXPECT_FALSE(driver.is_at_rest());  // it may not end yet
  device_.is_connected = true;
  run_until(driver, std::chrono::steady_clock::now() + 500ms);
  EXPECT_FALSE(device_.is_on);
  EXPECT_TRUE(driver.is_at_rest());
}

TEST_F(SwitchDriverTest, SeesWhileNoPartComesThatThePeerIsGoneAndBack) {
  SwitchDriver driver = this->driver(20ms);
  driver.give(part(Judgement::ng), soon());
  const Instant now = std::chrono::steady_clock::now();
  driver.upkeep(now + 20ms);
  device_.is_connected = false;
  driver.upkeep(now + 2s);
  EXPECT_FALSE(device_.is_open);
  device_.is_connected = true;
  run_until(driver, now + 5s);
  EXPECT_TRUE(device_.is_open);
}

}  // namespace
}  // namespace andon::inspect
