// SPDX-License-Identifier: Apache-2.0
#include "edge/fit/model_trial.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <system_error>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/os/process.hpp"
#include "base/text/escape.hpp"
#include "base/text/id.hpp"
#include "base/text/split.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kProgram = "andon-inspect";
constexpr std::chrono::seconds kLimit{60};
constexpr int kPictures = 24;
constexpr std::size_t kWarmUps = 4;  // the first ones fill caches
constexpr std::size_t kPixels = std::size_t{640} * 480;
constexpr std::size_t kMostResultBytes = 16U << 20U;
constexpr std::size_t kMostWords = 64U << 10U;
constexpr std::size_t kShownWords = 600;

bool can_run(const fs::path& program) {
  return access(program.c_str(), X_OK) == 0 && fs::is_regular_file(program);
}

double milliseconds_of(std::string_view line) {
  const base::json::value result = base::parse_json(line, "result");
  const base::JsonReader ms = base::JsonReader(result, "result").child("ms");
  double sum = 0;
  for (const auto& member : ms.object()) sum += member.value().to_number<double>();
  return sum;
}

// The last thing that it has said.
std::string last_words(const fs::path& log) {
  const std::string said = base::read_file_if_exists(log, kMostWords).value_or("");
  const std::string_view text = base::trim(said, " \t\r\n");
  const std::string_view line = text.substr(text.rfind('\n') + 1);
  return base::escape_line(std::string(line.substr(0, kShownWords)));
}

}  // namespace

std::optional<fs::path> find_inspect(const Layout& layout) {
  const char* const path = std::getenv("PATH");
  for (const std::string_view directory : base::split(path == nullptr ? "" : path, ':')) {
    if (directory.empty()) continue;
    fs::path program = fs::path(directory) / kProgram;
    if (can_run(program)) return program;
  }
  std::error_code ignored;
  for (const fs::directory_entry& component : fs::directory_iterator(layout.artifacts(), ignored)) {
    for (const fs::directory_entry& version : fs::directory_iterator(component.path(), ignored)) {
      fs::path program = version.path() / kProgram;
      if (can_run(program)) return program;
    }
  }
  return std::nullopt;
}

ModelTrial try_model(const fs::path& inspect, const fs::path& model) {
  const base::TemporaryDirectory directory;
  const fs::path pictures = directory.path() / "pictures";
  fs::create_directory(pictures);
  for (int i = 0; i < kPictures; ++i) {
    const fs::path file = pictures / (std::to_string(i) + ".raw");
    const base::UniqueFd out = base::open_file(file, O_WRONLY | O_CREAT, 0600);
    base::write_all(out.get(), base::random_bytes(kPixels), file);
  }
  const fs::path log = directory.path() / "log";
  const base::UniqueFd words = base::open_file(log, O_WRONLY | O_CREAT, 0600);
  base::ProcessOptions options;
  options.arguments = {inspect.string(),  "--model",
                       model.string(),    "--source",
                       pictures.string(), "--raw-format",
                       "640x480:mono8",   "--once",
                       "--tune",          "off",
                       "--mode",          "latency",
                       "--out",           (directory.path() / "out").string(),
                       "--thing",         "trial"};
  options.stdout_fd = words.get();
  options.stderr_fd = words.get();
  base::Process process(options);
  const auto status = process.wait(kLimit);
  if (!status) {
    process.stop(std::chrono::seconds(1));
    throw Error(ErrorCode::failed_precondition,
                "it has not looked at " + std::to_string(kPictures) + " pictures within " +
                    std::to_string(kLimit.count()) + " s");
  }
  if (!status->ok()) {
    throw Error(
        ErrorCode::failed_precondition,
        inspect.string() + " ended with " + base::to_string(*status) + ": " + last_words(log));
  }
  ModelTrial trial;
  const std::string results =
      base::read_file(directory.path() / "out" / "results.jsonl", kMostResultBytes);
  for (const std::string_view line : base::split(base::trim(results, "\n"), '\n')) {
    trial.ms.push_back(milliseconds_of(line));
  }
  trial.ms.erase(trial.ms.begin(), trial.ms.begin() + static_cast<std::ptrdiff_t>(
                                                          std::min(kWarmUps, trial.ms.size())));
  rusage used{};
  if (getrusage(RUSAGE_CHILDREN, &used) == 0) {
    trial.peak_kib = static_cast<std::uint64_t>(used.ru_maxrss);
  }
  return trial;
}

}  // namespace andon::edge
