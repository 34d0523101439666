// SPDX-License-Identifier: Apache-2.0
// The whole program, standing alone, with a model made here.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/json/json.hpp"
#include "base/os/cores.hpp"
#include "base/os/file.hpp"
#include "base/os/process.hpp"
#include "base/text/utf8.hpp"
#include "inspect/testing/results.hpp"
#include "inspect/testing/video.hpp"
#include "inspect/testing/waiting.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/runtime/cores.hpp"
#include "vision/testing/tiny_onnx.hpp"

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

  [[nodiscard]] static base::fs::path case_file(const std::string& name) {
    return base::fs::path(ANDON_SOURCE_DIR) / "tests" / "data" / "vision" / name;
  }

  void add_picture(const std::string& name) const {
    vision::Image image{{64, 48}, {}};
    image.rgb.assign(64 * 48 * 3, 250);
    base::write_file_atomically(images() / name, vision::encode_jpeg(image));
  }

  [[nodiscard]] base::Process start(std::vector<std::string> more) const {
    base::ProcessOptions options;
    options.arguments = {ANDON_INSPECT, "--model", model(), "--thing", "bench"};
    const auto unless_given = [&](const char* option, const base::fs::path& value) {
      if (std::find(more.begin(), more.end(), option) != more.end()) return;
      options.arguments.insert(options.arguments.end(), {option, value});
    };
    unless_given("--out", out());
    unless_given("--source", images());
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

TEST_F(ProgramTest, MarksTheResultOfAPictureOfWhichOnlyTheEndIsWrong) {
  add_picture("whole.jpg");
  for (const char* name : {"no-eoi.jpg", "stray-00-before-eoi.jpg"}) {
    base::fs::copy_file(case_file(name), images() / name);
  }
  std::string half = base::read_file(case_file("no-eoi.jpg"));
  half.resize(half.size() / 2);
  base::write_file_atomically(images() / "half.jpg", half);
  EXPECT_EQ(run({"--once"}), 0) << log();
  std::map<std::string, std::string> marks;
  for (const base::json::value& message : read_results(out() / "results.jsonl")) {
    const base::json::object& image = message.at("image").as_object();
    const base::json::value* warning = image.if_contains("warning");
    marks[std::string(image.at("name").as_string())] =
        message.as_object().contains("error") ? "error"
        : warning != nullptr                  ? std::string(warning->as_string())
                                              : "";
  }
  EXPECT_THAT(marks, testing::ElementsAre(testing::Pair("half.jpg", "error"),
                                          testing::Pair("no-eoi.jpg", "its end marker is missing"),
                                          testing::Pair("stray-00-before-eoi.jpg",
                                                        "2 stray zeros stand before its end"),
                                          testing::Pair("whole.jpg", "")));
}

TEST_F(ProgramTest, WritesClassNamesAsTheirModelMeansThemAndAlwaysAsUtf8) {
  const std::map<std::string, std::string> names{{"names-json_u.onnx", "Sch\u00E4den"},
                                                 {"names-py_x_escape.onnx", "Sch\u00A0den"},
                                                 {"names-invalid_utf8.onnx",
                                                  "Sch\uFFFD"
                                                  "den"}};
  base::fs::copy_file(
      base::fs::path(ANDON_SOURCE_DIR) / "examples/metal-tags/images/tag-7-00000.jpg",
      images() / "a.jpg");
  for (const auto& [file, label] : names) {
    base::fs::copy_file(case_file(file), model(), base::fs::copy_options::overwrite_existing);
    base::fs::remove_all(out());
    EXPECT_EQ(run({"--once", "--confidence", "0", "--csv"}), 0) << log();
    const std::string text = base::read_file(out() / "results.jsonl");
    EXPECT_TRUE(base::is_utf8(text)) << file;
    EXPECT_THAT(text, testing::HasSubstr("\"label\":\"" + label + "\"")) << file;
    EXPECT_TRUE(base::is_utf8(base::read_file(out() / "results.csv"))) << file;
  }
}

TEST_F(ProgramTest, LooksAgainWithAnotherModelAndNotWithTheSame) {
  add_picture("a.jpg");
  add_picture("b.jpg");
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_THAT(results(), testing::ElementsAre("a.jpg", "b.jpg"));
  base::write_file_atomically(model(),
                              vision::tiny_onnx::detector(vision::tiny_onnx::one_box(0.6F)));
  EXPECT_EQ(run({"--once", "--other-model", "keep"}), 0) << log();
  EXPECT_EQ(results().size(), 2U);
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_THAT(results(), testing::ElementsAre("a.jpg", "b.jpg", "a.jpg", "b.jpg"));
  // What is said beside it makes another model, too.
  base::write_file_atomically(folder_.path() / "model.yaml", "labels: [scratch]\n");
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_EQ(results().size(), 6U);
  EXPECT_EQ(run({"--once", "--other-model", "perhaps"}), 2);
}

TEST_F(ProgramTest, LooksAgainAtAPictureThatWasWrittenAnewWithItsOldSizeAndTime) {
  const auto bmp = [&](const std::string& name, char grey) {
    std::string bytes(54, '\0');
    const auto put = [&](std::size_t at, std::uint32_t value) {
      for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
    };
    bytes.replace(0, 2, "BM");
    put(10, 54);
    put(14, 40);
    put(18, 32);
    put(22, 32);
    bytes[26] = 1;
    bytes[28] = 24;
    std::ofstream(images() / name, std::ios::binary) << bytes << std::string(32 * 32 * 3, grey);
  };
  bmp("a.bmp", 10);
  const auto time = base::fs::last_write_time(images() / "a.bmp");
  EXPECT_EQ(run({"--once"}), 0) << log();
  bmp("a.bmp", 90);  // as cp -p over it would
  base::fs::last_write_time(images() / "a.bmp", time);
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_EQ(results().size(), 2U);
  // Touched, but the same: rights, a hard link, a copy of the same content over it.
  base::fs::permissions(images() / "a.bmp", base::fs::perms::owner_all);
  base::fs::create_hard_link(images() / "a.bmp", folder_.path() / "other name");
  EXPECT_EQ(run({"--once"}), 0) << log();
  bmp("a.bmp", 90);
  base::fs::last_write_time(images() / "a.bmp", time);
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_EQ(results().size(), 2U);
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

TEST_F(ProgramTest, EndsWhereAFileThatIsNamedIsNotThere) {
  add_picture("a.jpg");
  const std::string there = images() / "a.jpg";
  for (const char* name : {"absent.jpg", "absent.txt", "absent.mp4"}) {
    EXPECT_EQ(run({"--source", images() / name, "--once"}), 6) << log();
    EXPECT_THAT(log(), testing::HasSubstr(std::string(name) + ": there is no such file"));
  }
  EXPECT_EQ(run({"--source", there, "--source", images() / "absent.png"}), 6) << log();
  EXPECT_FALSE(base::fs::exists(out() / "results.jsonl"));
  EXPECT_EQ(run({"--source", there}), 0) << log();
}

TEST_F(ProgramTest, SaysWhatDoesNotGoTogether) {
  EXPECT_EQ(run({"--source", "a.jpg", "--source", "b.txt"}), 2);
  EXPECT_EQ(run({"--source", "/dev/video0", "--once"}), 2);
  EXPECT_EQ(run({"--source", "rtsp://host/path", "--recursive"}), 2);
  EXPECT_EQ(run({"--raw-format", "big"}), 2);
  EXPECT_EQ(run({"--anomaly-scale", "2", "1"}), 2);
  EXPECT_THAT(log(), testing::HasSubstr("See andon-inspect --help."));
}

TEST_F(ProgramTest, LooksIntoTheDirectoriesBelowWhereItIsAskedTo) {
  for (const char* name : {"line-1", "line-2/night", ".trash"}) {
    base::make_directories(images() / name);
  }
  add_picture("a.jpg");
  add_picture("line-1/a.jpg");
  add_picture("line-2/night/b.png.jpg");
  add_picture(".trash/c.jpg");
  EXPECT_EQ(run({"--once"}), 0) << log();
  EXPECT_THAT(results(), testing::ElementsAre("a.jpg"));
  // Results and drawings lie in the tree itself, and are not looked at.
  const std::string inside = images() / "out";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run({"--once", "--recursive", "--annotate", "--out", inside}), 0) << log();
  }
  std::vector<std::string> names;
  for (const base::json::value& message : read_results(images() / "out" / "results.jsonl")) {
    names.emplace_back(message.at("image").at("name").as_string());
  }
  EXPECT_THAT(names,
              testing::UnorderedElementsAre("a.jpg", "line-1/a.jpg", "line-2/night/b.png.jpg"));
  EXPECT_TRUE(base::fs::is_regular_file(images() / "out/annotated/line-2/night/b.png.jpg"));
}

TEST_F(ProgramTest, DrawsPicturesWhateverTheLengthOfTheirNames) {
  const std::string longest(251, 'n');
  add_picture(longest + ".jpg");
  add_picture(longest + ".png");
  add_picture(std::string(251, 'm') + ".bmp");
  EXPECT_EQ(run({"--once", "--annotate"}), 0) << log();
  EXPECT_THAT(log(), testing::Not(testing::HasSubstr("cannot be written")));
  EXPECT_TRUE(base::fs::is_regular_file(out() / "annotated" / (longest + ".jpg")));
  std::size_t drawn = 0;
  for (const auto& entry : base::fs::directory_iterator(out() / "annotated")) {
    drawn += entry.path().extension() == ".jpg" ? 1U : 0U;
  }
  EXPECT_EQ(drawn, 3U);
}

TEST_F(ProgramTest, PublishesNoBoxWithoutAnAreaAndNoScoreThatIsNone) {
  vision::tiny_onnx::DetectorSpec spec = vision::tiny_onnx::one_box();
  // Centre, size and score of four anchors: good, infinite, outside at the right, not a number.
  const float rows[4][5]{
      {16, 16, 8, 4, 0.8F}, {8, 16, 4, 4, INFINITY}, {60, 16, 10, 4, 0.9F}, {24, 16, 4, 4, NAN}};
  for (std::size_t anchor = 0; anchor < 4; ++anchor) {
    for (std::size_t c = 0; c < 5; ++c) spec.values[c * 21 + anchor] = rows[anchor][c];
  }
  base::write_file_atomically(model(), vision::tiny_onnx::detector(spec));
  add_picture("a.jpg");
  EXPECT_EQ(run({"--once"}), 0) << log();
  const auto message = read_results(out() / "results.jsonl").front();
  const auto& detections = message.at("detections").as_array();
  ASSERT_EQ(detections.size(), 1U) << base::to_text(message);
  EXPECT_GT(detections[0].at("confidence").to_number<double>(), 0.5);
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
  EXPECT_EQ(run({"--once", "--anomaly-scale", "0.8", "0.2"}), 2);
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
  const std::vector<int> allowed = base::allowed_cores();
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
  EXPECT_EQ(run({"--once", "--raw-format", "huge"}), 2) << log();
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
  EXPECT_EQ(program.wait(30s)->code, 2);
  EXPECT_THAT(base::read_file(folder_.path() / "log"),
              testing::HasSubstr("--source DIR and --out DIR are needed"));
}

}  // namespace
}  // namespace andon::inspect
