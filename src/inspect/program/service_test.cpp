// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/service.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "inspect/look/inspector.hpp"
#include "inspect/program/open_source.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/testing/tiny_onnx.hpp"

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
    messages_.push_back(result);
  }
  void fail(int times) {
    const std::lock_guard lock(mutex_);
    failures_ = times;
  }
  [[nodiscard]] std::vector<base::json::value> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  [[nodiscard]] bool has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return names_.contains(name);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> names_;
  std::vector<base::json::value> messages_;
  int failures_ = 0;
};

// The service on a thread of its own, as main runs it.
class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* folder : {"first", "second"}) {
      base::make_directories(folder_.path() / folder);
    }
    settings_.sources = {(folder_.path() / "first").string()};
    settings_.model = write_model("model.onnx", 0.8F);
    thread_ = std::thread([this] { run(); });
    while (events_ == nullptr) std::this_thread::yield();
  }
  void TearDown() override {
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }

  class TestOwner final : public ServiceOwner {
   public:
    TestOwner(ServiceTest& test, const base::Clock& clock, ModelLoader& models,
              Inspector& inspector, Pipeline& pipeline)
        : test_(test), clock_(clock), models_(models), inspector_(inspector), pipeline_(pipeline) {}

    Settings read_settings() override {
      const std::lock_guard lock(test_.mutex_);
      if (test_.is_broken_) throw base::Error(base::ErrorCode::invalid_argument, "wrong");
      return test_.settings_;
    }
    std::unique_ptr<Source> open_source(const Settings& settings) override {
      return inspect::open_source(settings, clock_, {});
    }
    void adopt(const Model& model) override {
      if (model.parallelism.workers == in_use_) return;
      in_use_ = model.parallelism.workers;
      pipeline_.wait_until_done();
      inspector_.set_workers(in_use_);
      pipeline_.restart({.workers = in_use_, .frames_in_flight = 8, .batch = 1, .cores = {}});
      test_.adopted_ = in_use_;
    }
    void on_tuned(const vision::Tuning& tuning) override {
      test_.workers_ = tuning.workers;
      models_.load_again();
    }

   private:
    ServiceTest& test_;
    const base::Clock& clock_;
    ModelLoader& models_;
    Inspector& inspector_;
    Pipeline& pipeline_;
    int in_use_ = kWorkers;
  };

  void run() {
    Events events;
    const base::SystemClock clock;
    const vision::OnnxRuntime runtime;
    const auto load = [&](const base::fs::path& path) {
      ModelOptions options;
      options.parallelism.workers = workers_;
      OpenedModel opened = open_model(path);
      return load_model(runtime, opened.file, options, std::move(opened.files));
    };
    ModelLoader models(load(settings_.model), load);
    Journal journal(folder_.path() / "state");
    Metrics metrics;
    Recorder recorder({journal, {&sink_}, clock, metrics, "device-1", nullptr});
    Inspector inspector({.workers = kWorkers,
                         .thing = "device-1",
                         .component = {},
                         .uploads = Uploads::off,
                         .annotations = {}},
                        clock);
    Pipeline pipeline(
        {.workers = kWorkers, .frames_in_flight = 4, .batch = 1, .cores = {}},
        [&](int worker, std::span<Job* const> jobs) { inspector.look(worker, jobs); });
    // Measures at once that more workers are better, where a test wants it.
    IdleTuner tuner([](const vision::Tuner::IsInterrupted&) {
      vision::Tuning tuning;
      tuning.workers = kTunedWorkers;
      return std::optional(tuning);
    });
    TestOwner owner(*this, clock, models, inspector, pipeline);
    Service service({.events = events,
                     .pipeline = pipeline,
                     .recorder = recorder,
                     .models = models,
                     .metrics = metrics,
                     .clock = clock,
                     .owner = owner,
                     .tuner = is_tuned_ ? &tuner : nullptr,
                     .mode = Mode::watch});
    events_ = &events;
    (void)service.run();
  }

  void configure(const std::string& folder, bool is_broken) {
    {
      const std::lock_guard lock(mutex_);
      settings_.sources = {(folder_.path() / folder).string()};
      is_broken_ = is_broken;
    }
    events_.load()->nudge();
  }

  [[nodiscard]] base::fs::path write_model(const std::string& name, float score) const {
    base::write_file_atomically(folder_.path() / name,
                                vision::tiny_onnx::detector(vision::tiny_onnx::one_box(score)));
    return folder_.path() / name;
  }

  void add_picture(const std::string& folder, const std::string& name) const {
    vision::Image image{{32, 32}, {}};
    image.rgb.assign(32 * 32 * 3, 255);
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

  static constexpr int kWorkers = 2;
  static constexpr int kTunedWorkers = 5;
  bool is_tuned_ = false;
  std::atomic<int> workers_ = kWorkers;
  std::atomic<int> adopted_ = 0;

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

TEST_F(ServiceTest, ChangesTheModelBetweenTwoFramesWithoutLosingOrDoublingAny) {
  constexpr int kFrames = 200;
  const auto name = [](int number) { return "frame-" + std::to_string(1000 + number) + ".jpg"; };
  for (int i = 0; i < kFrames; ++i) {
    add_picture("first", name(i));
    if (i == kFrames / 4) (void)write_model("model.onnx", 0.6F);  // the file itself
    if (i == kFrames / 2) {
      const std::lock_guard lock(mutex_);
      settings_.model = write_model("newer.onnx", 0.4F);  // the configuration
      events_.load()->nudge();
    }
  }
  EXPECT_TRUE(comes(name(kFrames - 1)));
  // Whatever is slow here, in the end it is the newest that looks.
  for (int i = kFrames; sink_.messages().back().at("model").at("component") != "newer"; ++i) {
    ASSERT_LT(i, 100 * kFrames);
    add_picture("first", name(i));
    ASSERT_TRUE(comes(name(i)));
  }
  const auto messages = sink_.messages();
  std::set<std::string> names;
  double before = 1;
  for (const auto& message : messages) {
    names.emplace(message.at("image").at("name").as_string());
    const double score = message.at("detections").at(0).at("confidence").to_number<double>();
    EXPECT_LE(score, before);  // a model that was left never comes back
    before = score;
  }
  EXPECT_EQ(names.size(), messages.size());
  EXPECT_GE(messages.size(), std::size_t{kFrames});
  EXPECT_NEAR(before, 0.4, 0.001);
}

TEST_F(ServiceTest, FollowsTheDescriptionOfItsModel) {
  add_picture("first", "a.jpg");
  ASSERT_TRUE(comes("a.jpg"));
  base::write_file_atomically(folder_.path() / "model.yaml", "labels: [scratch]\n");
  const auto label = [&] {
    return sink_.messages().back().at("detections").at(0).at("label").as_string();
  };
  for (int i = 0; label() != "scratch"; ++i) {
    ASSERT_LT(i, 10'000);
    const std::string name = "frame-" + std::to_string(i) + ".jpg";
    add_picture("first", name);
    ASSERT_TRUE(comes(name));
  }
}

TEST_F(ServiceTest, FollowsLinksToItsModelAndToItsPictures) {
  const auto release = [&](const std::string& name, float score) {
    base::make_directories(folder_.path() / name / "images");
    (void)write_model(name + "/model.onnx", score);
    const base::fs::path link = folder_.path() / "current";
    base::fs::create_directory_symlink(name, link.string() + ".new");
    base::fs::rename(link.string() + ".new", link);
  };
  release("1", 0.8F);
  {
    const std::lock_guard lock(mutex_);
    settings_.model = folder_.path() / "current" / "model.onnx";
  }
  configure("current/images", false);
  add_picture("1/images", "a.jpg");
  ASSERT_TRUE(comes("a.jpg"));
  release("2", 0.4F);
  add_picture("2/images", "b.jpg");
  ASSERT_TRUE(comes("b.jpg"));
  const auto score = [&] {
    return sink_.messages().back().at("detections").at(0).at("confidence").as_double();
  };
  for (int i = 0; score() > 0.5; ++i) {
    ASSERT_LT(i, 10'000);
    const std::string name = "frame-" + std::to_string(i) + ".jpg";
    add_picture("2/images", name);
    ASSERT_TRUE(comes(name));
  }
}

TEST_F(ServiceTest, KeepsTheModelWhereTheNewerOneCannotBeUsed) {
  base::write_file_atomically(folder_.path() / "model.onnx", "this is not a model");
  add_picture("first", "a.jpg");
  EXPECT_TRUE(comes("a.jpg"));
  base::write_file_atomically(folder_.path() / "model.onnx", "nor is this");
  add_picture("first", "b.jpg");
  EXPECT_TRUE(comes("b.jpg"));
  EXPECT_NEAR(sink_.messages().back().at("detections").at(0).at("confidence").as_double(), 0.8,
              0.001);
}

class TunedServiceTest : public ServiceTest {
 protected:
  TunedServiceTest() { is_tuned_ = true; }
};

TEST_F(TunedServiceTest, TakesOverWhatWasMeasuredBetweenTwoFramesWithoutLosingOrDoublingAny) {
  std::set<std::string> expected;
  const auto add = [&] {
    const std::string name = "frame-" + std::to_string(1000 + expected.size()) + ".jpg";
    add_picture("first", name);
    expected.insert(name);
    return name;
  };
  EXPECT_TRUE(comes(add()));
  // It measures when it has rested for a second; from then on frames come without a pause.
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  while (workers_ == kWorkers && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::yield();
  }
  while (adopted_ == 0 && std::chrono::steady_clock::now() < give_up) (void)add();
  EXPECT_EQ(adopted_, kTunedWorkers);
  for (int i = 0; i < 50; ++i) (void)add();
  for (const std::string& name : expected) EXPECT_TRUE(comes(name)) << name;
  EXPECT_EQ(sink_.messages().size(), expected.size());
}

TEST_F(ServiceTest, PublishesAgainUntilTheAgentTakesTheResult) {
  sink_.fail(2);
  add_picture("first", "a.jpg");
  EXPECT_TRUE(comes("a.jpg"));
}

}  // namespace
}  // namespace andon::inspect
