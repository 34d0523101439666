// SPDX-License-Identifier: Apache-2.0
#include "inspect/service.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "vision/annotate.hpp"
#include "vision/tiny_onnx.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

class SharedSink final : public ResultSink {
 public:
  void publish(const std::string& message) override {
    const base::json::value result = base::parse_json(message, "message");
    const std::lock_guard lock(mutex_);
    if (failures_ > 0) {
      --failures_;
      throw base::Error(base::ErrorCode::unavailable, "the agent is busy");
    }
    names_.insert(std::string(result.at("image").at("name").as_string()));
  }
  void fail(int times) {
    const std::lock_guard lock(mutex_);
    failures_ = times;
  }
  [[nodiscard]] bool has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return names_.contains(name);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> names_;
  int failures_ = 0;
};

// The service on a thread of its own, as main runs it.
class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* folder : {"first", "second"}) {
      base::make_directories(folder_.path() / folder);
    }
    settings_.image_directory = folder_.path() / "first";
    thread_ = std::thread([this] { run(); });
    while (events_ == nullptr) std::this_thread::yield();
  }
  void TearDown() override {
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }

  void run() {
    Events events;
    const base::SystemClock clock;
    const vision::OnnxRuntime runtime;
    vision::Detector detector(runtime, vision::tiny_onnx::detector({}), "tiny.onnx");
    Journal journal(folder_.path() / "state");
    Inspector inspector({detector, journal, {&sink_}, clock, nullptr, {}}, {});
    const auto read = [this] {
      const std::lock_guard lock(mutex_);
      if (is_broken_) throw base::Error(base::ErrorCode::invalid_argument, "wrong");
      return settings_;
    };
    Service service(events, inspector, clock, read, Service::Mode::watch);
    events_ = &events;
    (void)service.run();
  }

  void configure(const std::string& folder, bool is_broken) {
    {
      const std::lock_guard lock(mutex_);
      settings_.image_directory = folder_.path() / folder;
      is_broken_ = is_broken;
    }
    events_.load()->nudge();
  }

  void add_picture(const std::string& folder, const std::string& name) const {
    vision::Image image{{32, 32}, {}};
    image.rgb.assign(32 * 32 * 3, 99);
    base::write_file_atomically(folder_.path() / folder / name, vision::encode_jpeg(image));
  }

  [[nodiscard]] bool comes(const std::string& name) const {
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (!sink_.has(name)) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      std::this_thread::yield();
    }
    return true;
  }

  base::TemporaryDirectory folder_;
  SharedSink sink_;
  std::mutex mutex_;
  Settings settings_;
  bool is_broken_ = false;
  std::atomic<Events*> events_ = nullptr;
  std::thread thread_;
};

TEST_F(ServiceTest, FollowsAChangedConfigurationWithoutARestart) {
  add_picture("first", "a.jpg");
  EXPECT_TRUE(comes("a.jpg"));
  add_picture("second", "b.jpg");
  configure("second", false);
  EXPECT_TRUE(comes("b.jpg"));
  add_picture("second", "c.jpg");
  EXPECT_TRUE(comes("c.jpg"));
}

TEST_F(ServiceTest, KeepsItsSettingsWhereTheNewOnesAreWrong) {
  configure("second", true);
  add_picture("first", "a.jpg");
  EXPECT_TRUE(comes("a.jpg"));
}

TEST_F(ServiceTest, PublishesAgainUntilTheAgentTakesTheResult) {
  sink_.fail(2);
  add_picture("first", "a.jpg");
  EXPECT_TRUE(comes("a.jpg"));
}

}  // namespace
}  // namespace andon::inspect
