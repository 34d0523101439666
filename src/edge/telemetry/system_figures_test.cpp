// SPDX-License-Identifier: Apache-2.0
#include "edge/telemetry/system_figures.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace andon::edge {
namespace {

using fleet::Figure;
using Time = std::chrono::steady_clock::time_point;

class SystemFiguresTest : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    base::make_directories((root_.path() / path).parent_path());
    base::write_file_atomically(root_.path() / path, text);
  }
  fleet::Figures read(int second) { return figures_.read(Time{std::chrono::seconds{second}}); }

  base::TemporaryDirectory root_;
  SystemFigures figures_{
      {.disk = root_.path(), .proc = root_.path() / "proc", .sys = root_.path() / "sys"}};
};

TEST_F(SystemFiguresTest, WhatIsCountedOverTimeIsTheDifferenceToTheCallBefore) {
  put("proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1\n");
  put("proc/self/stat", "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 50 50 0 0\n");
  put("proc/net/dev",
      "Inter-| Receive\n face |bytes\n    lo: 9 0 0 0 0 0 0 0 9 0\n"
      "  eth0: 1000 0 0 0 0 0 0 0 500 0\n  wlan0:50 0 0 0 0 0 0 0 60 0\n");
  fleet::Figures first = read(0);
  EXPECT_FALSE(at(first, Figure::cpu_percent));
  EXPECT_FALSE(at(first, Figure::sent));
  const auto ticks = static_cast<int>(sysconf(_SC_CLK_TCK));
  put("proc/stat", "cpu  150 0 125 800 125 0 0 0 0 0\n");
  put("proc/self/stat",
      "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 50 " + std::to_string(50 + ticks) + " 0 0\n");
  put("proc/net/dev", "  eth0: 3000 0 0 0 0 0 0 0 700 0\n  wlan0:50 0 0 0 0 0 0 0 60 0\n");
  fleet::Figures second = read(10);
  EXPECT_DOUBLE_EQ(at(second, Figure::cpu_percent).value(), 37.5);
  EXPECT_DOUBLE_EQ(at(second, Figure::agent_cpu).value(), 10);
  EXPECT_DOUBLE_EQ(at(second, Figure::received).value(), 200);
  EXPECT_DOUBLE_EQ(at(second, Figure::sent).value(), 20);
}

TEST_F(SystemFiguresTest, CountersThatBeganAnewSayNothing) {
  put("proc/net/dev", "  eth0: 3000 0 0 0 0 0 0 0 700 0\n");
  (void)read(0);
  put("proc/net/dev", "  eth0: 10 0 0 0 0 0 0 0 900 0\n");
  fleet::Figures figures = read(10);
  EXPECT_FALSE(at(figures, Figure::received));
  EXPECT_DOUBLE_EQ(at(figures, Figure::sent).value(), 20);
}

TEST_F(SystemFiguresTest, MemoryDiskFilesAndTheHottestZoneAreAsTheyAre) {
  put("proc/meminfo", "MemTotal: 2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n");
  put("proc/self/statm", "1000 256 3\n");
  put("proc/sys/fs/file-nr", "1216\t0\t9223372036854775807\n");
  put("sys/class/thermal/thermal_zone0/temp", "41500\n");
  put("sys/class/thermal/thermal_zone1/temp", "-273000\n");
  put("sys/class/thermal/thermal_zone2/temp", "52250\n");
  put("sys/class/thermal/thermal_zone3/temp", "no sensor\n");
  fleet::Figures figures = read(0);
  EXPECT_DOUBLE_EQ(at(figures, Figure::memory_size).value(), 2);
  EXPECT_DOUBLE_EQ(at(figures, Figure::memory_used).value(), 1);
  EXPECT_GT(at(figures, Figure::agent_memory).value(), 0.9);
  EXPECT_DOUBLE_EQ(at(figures, Figure::open_files).value(), 1216);
  EXPECT_DOUBLE_EQ(at(figures, Figure::temperature).value(), 52.25);
  EXPECT_GT(at(figures, Figure::disk_size).value(), 0);
  EXPECT_LE(at(figures, Figure::disk_free).value(), at(figures, Figure::disk_size).value());
}

TEST_F(SystemFiguresTest, WhatAKernelDoesNotShowOrWritesOtherwiseIsLeftOut) {
  fleet::Figures nothing = read(0);
  EXPECT_FALSE(at(nothing, Figure::cpu_percent));
  EXPECT_FALSE(at(nothing, Figure::memory_used));
  EXPECT_FALSE(at(nothing, Figure::temperature));
  put("proc/stat", "cpu\n");
  put("proc/self/stat", "(");
  put("proc/net/dev", ":\n: x y\neth0: 1\n");
  put("proc/meminfo", "MemTotal:\nMemAvailable: -4 kB\n\n");
  put("proc/self/statm", "");
  fleet::Figures strange = read(1);
  EXPECT_FALSE(at(strange, Figure::memory_size));
  EXPECT_FALSE(at(strange, Figure::received));
}

TEST(SystemFigures, OfThisMachineSayWhatTheyAreFor) {
  SystemFigures figures({.disk = "/"});
  (void)figures.read(Time{std::chrono::seconds{0}});
  fleet::Figures now = figures.read(Time{std::chrono::seconds{1}});
  EXPECT_GT(at(now, Figure::memory_size).value(), 1);
  EXPECT_GT(at(now, Figure::agent_memory).value(), 0);
  EXPECT_GT(at(now, Figure::disk_size).value(), 0);
}

}  // namespace
}  // namespace andon::edge
