// SPDX-License-Identifier: Apache-2.0
// The whole program, standing alone, with a model made here.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "inspect/test_results.hpp"
#include "inspect/test_video.hpp"
#include "inspect/test_waiting.hpp"
#include "vision/annotate.hpp"
#include "vision/cores.hpp"
#include "vision/tiny_onnx.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    base::write_file_atomically(model(), vision::tiny_onnx::detector(vision::tiny_onnx::one_box()));
    base::make_directories(images());
  }

  [[nodiscard]] base::fs::path model() const { return folder_.path() / "model.onnx"; }
  [[nodiscard]] base::fs::path images() const { return folder_.path() / "images"; }
  [[nodiscard]] base::fs::path out() const { return folder_.path() / "out"; }

  void add_picture(const std::string& name) const {
    vision::Image image{{64, 48}, {}};
    image.rgb.assign(64 * 48 * 3, 250);
    base::write_file_atomically(images() / name, vision::encode_jpeg(image));
  }

  [[nodiscard]] base::Process start(std::vector<std::string> more) const {
    base::ProcessOptions options;
    options.arguments = {ANDON_INSPECT, "--model", model(), "--out", out(), "--thing", "bench"};
    if (std::find(more.begin(), more.end(), "--source") == more.end()) {
      options.arguments.insert(options.arguments.end(), {"--source", images()});
    }
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    const base::UniqueFd log =
        base::open_file(folder_.path() / "log", O_WRONLY | O_CREAT | O_APPEND);
    const base::UniqueFd printed =
        base::open_file(folder_.path() / "printed", O_WRONLY | O_CREAT | O_TRUNC);
    options.stderr_fd = log.get();
    options.stdout_fd = printed.get();
    return base::Process(options);
  }
  [[nodiscard]] std::string log() const { return base::read_file(folder_.path() / "log"); }

  // Its exit code.
  [[nodiscard]] int run(std::vector<std::string> more) const {
    base::Process program = start(std::move(more));
    const auto status = program.wait(60s);
    return status && status->signal == 0 ? status->code : -1;
  }

  // Names in order of arrival.
  [[nodiscard]] std::vector<std::string> results() const {
    std::vector<std::string> names;
    for (const base::json::value& message : read_results(out() / "results.jsonl")) {
      names.emplace_back(message.at("image").at("name").as_string());
    }
    return names;
  }

  base::TemporaryDirectory folder_;
};

TEST_F(ProgramTest, InspectsADirectoryOnce) {
  add_picture("b.jpg");
  add_picture("a.jpg");
  base::Process first = start({"--once", "--annotate"});
  const auto status = first.wait(30s);
  ASSERT_TRUE(status && status->ok()) << base::read_file(folder_.path() / "log");
  EXPECT_THAT(results(), testing::ElementsAre("a.jpg", "b.jpg"));
  EXPECT_TRUE(base::fs::exists(out() / "annotated" / "a.jpg"));
  add_picture("c.jpg");
  base::Process second = start({"--once"});
  ASSERT_TRUE(second.wait(30s)->ok());
  EXPECT_THAT(results(), testing::ElementsAre("a.jpg", "b.jpg", "c.jpg"));
}

TEST_F(ProgramTest, FollowsADirectoryAndEndsWhenAskedTo) {
  base::Process program = start({});
  add_picture("a.jpg");
  ASSERT_TRUE(wait_until([&] { return results().size() == 1; }));
  add_picture("b.jpg");
  ASSERT_TRUE(wait_until([&] { return results().size() == 2; }));
  EXPECT_TRUE(program.stop(10s).ok());
  EXPECT_THAT(results(), testing::ElementsAre("a.jpg", "b.jpg"));
}

TEST_F(ProgramTest, GivesEachPictureOneResultHoweverOftenItIsKilled) {
  constexpr int kPictures = 120;
  for (int i = 0; i < kPictures; ++i) add_picture("picture-" + std::to_string(i) + ".jpg");
  std::mt19937 random(11);
  std::uniform_int_distribution<int> more(1, 6);
  std::size_t kills = 0;
  while (results().size() < kPictures) {
    base::Process program = start({});
    // Somewhere in the work on the next few pictures.
    const std::size_t until =
        std::min<std::size_t>(kPictures, results().size() + static_cast<std::size_t>(more(random)));
    ASSERT_TRUE(wait_until([&] { return results().size() >= until; }));
    program.signal_group(SIGKILL);
    ASSERT_TRUE(program.wait(10s).has_value());
    ++kills;
  }
  EXPECT_GE(kills, 3U);  // how many there are depends on the machine
  base::Process last = start({"--once"});
  ASSERT_TRUE(last.wait(30s)->ok());
  const auto names = results();
  EXPECT_EQ(names.size(), std::size_t{kPictures});
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), std::size_t{kPictures});
}

TEST_F(ProgramTest, ReportsWhatItCannotReadAndGoesOn) {
  add_picture("a.jpg");
  base::write_file_atomically(images() / "b.jpg", "not a picture");
  add_picture("c.jpg");
  EXPECT_EQ(run({"--once", "--csv", "--json"}), 0) << log();
  EXPECT_THAT(results(), testing::UnorderedElementsAre("a.jpg", "b.jpg", "c.jpg"));
  EXPECT_THAT(log(), testing::HasSubstr("b.jpg"));
  const auto summary =
      base::parse_json(base::read_file(folder_.path() / "printed"), "the printed summary");
  EXPECT_EQ(summary.at("images"), 3);
  EXPECT_EQ(summary.at("errors"), 1);
  EXPECT_EQ(summary.at("detections"), 2);
  const std::string csv = base::read_file(out() / "results.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
}

TEST_F(ProgramTest, SaysThatThereAreNoImages) {
  EXPECT_EQ(run({"--once"}), 6);
  EXPECT_THAT(log(), testing::HasSubstr("there are no images in"));
  base::fs::remove(images());
  EXPECT_EQ(run({"--once"}), 6);
  EXPECT_THAT(log(), testing::HasSubstr("--source is not a directory"));
  base::fs::remove(model());
  base::make_directories(images());
  EXPECT_EQ(run({"--once"}), 6);
  EXPECT_THAT(log(), testing::HasSubstr("model.onnx"));
}

TEST_F(ProgramTest, EndsWithTheReasonWhereTheDiskIsFull) {
  add_picture("a.jpg");
  base::make_directories(out());
  // Every write to it finds the disk full; the state is kept elsewhere.
  base::fs::create_symlink("/dev/full", out() / "results.jsonl");
  EXPECT_EQ(run({"--once", "--state", folder_.path() / "state"}), 10) << log();
  EXPECT_THAT(log(), testing::HasSubstr("No space left on device"));
}

TEST_F(ProgramTest, SendsTheMapOfAnAnomalyModelWhereItIsAskedFor) {
  vision::tiny_onnx::ModelSpec spec;
  spec.outputs = {{"anomaly_map", {1, 1, 2, 4}, {0.9F, 0, 0, 0, 0, 0, 0, 0}, {}}};
  base::write_file_atomically(model(), vision::tiny_onnx::model(spec));
  add_picture("a.jpg");
  EXPECT_EQ(run({"--once", "--anomaly-map", "64", "--annotate", "--anomaly-scale", "0.2", "0.8"}),
            0)
      << log();
  const auto message = base::parse_json(base::read_file(out() / "results.jsonl"), "result");
  EXPECT_EQ(message.at("anomaly").at("map").at("size"), (base::json::array{2, 4}));
  EXPECT_EQ(run({"--once", "--anomaly-map", "257"}), 2);
  EXPECT_EQ(run({"--once", "--anomaly-scale", "0.8", "0.2"}), 3);
}

TEST_F(ProgramTest, TakesImagesThatAreNamedOneByOneInTheirOrder) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) add_picture(name);
  base::write_file_atomically(folder_.path() / "list.txt", "images/c.jpg\nimages/a.jpg\n");
  EXPECT_EQ(run({"--source", folder_.path() / "list.txt"}), 0) << log();
  EXPECT_EQ(run({"--source", images() / "b.jpg", "--source", images() / "a.jpg"}), 0) << log();
  EXPECT_THAT(results(), testing::ElementsAre("c.jpg", "a.jpg", "b.jpg"));
}

TEST_F(ProgramTest, KeepsTheOrderWithManyWorkersAndInEachMode) {
  std::vector<std::string> expected;
  for (int i = 100; i < 150; ++i) {
    expected.push_back("picture-" + std::to_string(i) + ".jpg");
    add_picture(expected.back());
  }
  EXPECT_EQ(run({"--once", "--workers", "4", "--batch", "3"}), 0) << log();
  EXPECT_EQ(results(), expected);
  base::fs::remove_all(out());
  EXPECT_EQ(run({"--once", "--mode", "latency"}), 0) << log();
  EXPECT_EQ(results(), expected);
}

TEST_F(ProgramTest, RemembersWhatItMeasuredOfTheMachine) {
  add_picture("a.jpg");
  EXPECT_EQ(run({"--once", "--log-level", "info"}), 0) << log();
  EXPECT_THAT(log(), testing::HasSubstr("as usual"));  // it may be over before it is measured
  EXPECT_THAT(log(), testing::Not(testing::HasSubstr("measured now")));
  add_picture("b.jpg");
  EXPECT_EQ(run({"--once", "--tune", "now", "--log-level", "info"}), 0) << log();
  EXPECT_THAT(log(), testing::HasSubstr("measured now"));
  add_picture("c.jpg");
  EXPECT_EQ(run({"--once", "--log-level", "info"}), 0) << log();
  EXPECT_THAT(log(), testing::HasSubstr("remembered"));
  add_picture("d.jpg");
  EXPECT_EQ(
      run({"--once", "--workers", "1", "--threads", "1", "--batch", "1", "--log-level", "info"}), 0)
      << log();
  EXPECT_THAT(log(), testing::HasSubstr("by hand"));
  EXPECT_EQ(run({"--once", "--tune", "perhaps"}), 2) << log();
}

TEST_F(ProgramTest, MeasuresWhenThereIsNothingElseToDoAndGivesWayToImages) {
  add_picture("a.jpg");
  base::Process program = start({"--log-level", "info"});
  ASSERT_TRUE(wait_until([&] { return results().size() == 1; })) << log();
  EXPECT_THAT(log(), testing::HasSubstr("as usual"));
  // Images come now and then; each has its result, and between them it measures.
  std::vector<std::string> expected{"a.jpg"};
  ASSERT_TRUE(wait_until([&] { return base::fs::exists(out() / ".state" / "tuning.json"); }))
      << log();
  for (int i = 0; i < 20; ++i) {
    expected.push_back("b" + std::to_string(100 + i) + ".jpg");
    add_picture(expected.back());
  }
  ASSERT_TRUE(wait_until([&] { return results().size() == expected.size(); })) << log();
  EXPECT_EQ(results(), expected);
  EXPECT_THAT(log(), testing::HasSubstr("measured now"));
  EXPECT_TRUE(program.stop(10s).ok());
}

// The cores of each of a program's threads that has `name`, as the kernel lists them.
std::set<std::string> cores_of_threads(pid_t pid, const std::string& name) {
  std::set<std::string> result;
  for (const auto& task : base::fs::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    const std::string status = base::read_file(task.path() / "status");
    const std::string_view key = "Cpus_allowed_list:\t";
    if (!status.starts_with("Name:\t" + name)) continue;
    const std::size_t at = status.find(key) + key.size();
    result.insert(status.substr(at, status.find('\n', at) - at));
  }
  return result;
}

TEST_F(ProgramTest, KeepsItsThreadsOnTheirCores) {
  const std::vector<int> allowed = vision::allowed_cores();
  if (allowed.size() < 2) GTEST_SKIP() << "needs two cores";
  const auto core = [&](std::size_t i) { return fmt::format("{}", allowed[i]); };
  // A thread that has had nothing to do may still be on its way.
  const auto comes_to = [&](const std::string& name, const std::string& where,
                            const base::Process& program) {
    return wait_until([&] { return cores_of_threads(program.pid(), name) == std::set{where}; });
  };
  add_picture("a.jpg");
  {
    base::Process program = start({"--workers", "2", "--affinity", core(1) + "," + core(0)});
    ASSERT_TRUE(wait_until([&] { return results().size() == 1; })) << log();
    EXPECT_TRUE(comes_to("worker 0", core(1), program));
    EXPECT_TRUE(comes_to("worker 1", core(0), program));
    EXPECT_EQ(cores_of_threads(program.pid(), "andon-inspect"),
              std::set{vision::core_list(allowed)});
    EXPECT_TRUE(program.stop(10s).ok());
  }
  add_picture("b.jpg");
  // The network's second thread has the name of the program: main's may run anywhere.
  base::Process program =
      start({"--mode", "latency", "--threads", "2", "--affinity", core(1) + "," + core(0)});
  ASSERT_TRUE(wait_until([&] { return results().size() == 2; })) << log();
  EXPECT_TRUE(comes_to("worker 0", core(1), program));
  EXPECT_TRUE(wait_until(
      [&] { return cores_of_threads(program.pid(), "andon-inspect").contains(core(0)); }));
  EXPECT_TRUE(program.stop(10s).ok());
}

TEST_F(ProgramTest, RefusesCoresThatItMayNotUse) {
  add_picture("a.jpg");
  EXPECT_EQ(run({"--once", "--affinity", "0,60000"}), 3);
  EXPECT_THAT(log(), testing::HasSubstr("core 60000 may not be used by this process"));
  EXPECT_EQ(run({"--once", "--affinity", "fast"}), 3);
  EXPECT_THAT(log(), testing::HasSubstr("'fast' is no list of cores"));
}

TEST_F(ProgramTest, TakesTheRawFramesOfACameraWhoseFormatItKnows) {
  base::write_file_atomically(images() / "a.raw", std::string(64 * 48, '\xFA'));
  base::write_file_atomically(images() / "b.raw", std::string(64, '\xFA'));
  EXPECT_EQ(run({"--once", "--raw-format", "64x48:mono8"}), 0) << log();
  EXPECT_THAT(results(), testing::UnorderedElementsAre("a.raw", "b.raw"));
  EXPECT_THAT(base::read_file(out() / "results.jsonl"), testing::HasSubstr("\"width\":64"));
  EXPECT_EQ(run({"--once", "--raw-format", "huge"}), 3) << log();
}

#ifdef ANDON_RTSP_SERVER
TEST_F(ProgramTest, GivesEachFrameOfAVideoOneResultHoweverOftenItIsKilled) {
  constexpr int kFrames = 40;
  const base::fs::path clip = folder_.path() / "clip.avi";
  ASSERT_NO_FATAL_FAILURE(make_video(clip, kFrames));
  for (const std::size_t until : {1U, 9U, 17U}) {
    base::Process program = start({"--source", clip});
    ASSERT_TRUE(wait_until([&] { return results().size() >= until; }));
    program.signal_group(SIGKILL);
    ASSERT_TRUE(program.wait(10s).has_value());
  }
  EXPECT_EQ(run({"--source", clip}), 0) << log();
  std::vector<std::string> expected;
  for (int i = 0; i < kFrames; ++i) {
    expected.push_back((i < 10 ? "clip-00000" : "clip-0000") + std::to_string(i) + ".jpg");
  }
  EXPECT_EQ(results(), expected);
}
#endif

TEST_F(ProgramTest, SaysWhatIsWrongWithAModel) {
  base::write_file_atomically(model(), "this is not a model");
  base::Process program = start({"--once"});
  const auto status = program.wait(30s);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code, 3);
  EXPECT_THAT(base::read_file(folder_.path() / "log"),
              testing::HasSubstr("model.onnx: ONNX Runtime cannot load it as a model"));
}

TEST_F(ProgramTest, WithoutAnAgentNeedsToKnowWhereToLookAndWrite) {
  base::ProcessOptions options;
  options.arguments = {ANDON_INSPECT, "--model", model()};
  const base::UniqueFd log = base::open_file(folder_.path() / "log", O_WRONLY | O_CREAT);
  options.stderr_fd = log.get();
  base::Process program(options);
  EXPECT_EQ(program.wait(30s)->code, 3);
  EXPECT_THAT(base::read_file(folder_.path() / "log"),
              testing::HasSubstr("--source DIR and --out DIR are needed"));
}

}  // namespace
}  // namespace andon::inspect
