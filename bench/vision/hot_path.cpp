// SPDX-License-Identifier: Apache-2.0
// Counts every allocation (malloc and all that ends there) that a worker of andon-inspect makes for
// a frame, from its file to its result message, and says whose it is:
//
//   hot_path MODEL IMAGES_DIR [FRAMES] [BATCH]
//
// Prints one JSON object; ends with 1 where andon's own code allocates before the message.
#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "inspect/look/inspector.hpp"

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

enum Owner { ours, tensor_memory, onnxruntime, codec, message, kOwners };
constexpr std::array<std::string_view, kOwners> kNames{"ours", "tensor_memory", "onnxruntime",
                                                       "codec", "message"};

thread_local bool is_counting = false;
std::array<std::size_t, kOwners> counts{};

// The innermost frame that is neither the standard library's nor ours here decides.
Owner owner_of(void* const* frames, int count) {
  bool is_own = false;
  for (int i = 0; i < count; ++i) {
    Dl_info info{};
    if (dladdr(frames[i], &info) == 0 || info.dli_fname == nullptr) continue;
    const std::string_view file = info.dli_fname;
    const std::string_view symbol = info.dli_sname == nullptr ? "" : info.dli_sname;
    const auto is_of = [&](std::string_view library) {
      return file.find(library) != std::string_view::npos;
    };
    if (is_of("libonnxruntime")) return is_own ? tensor_memory : onnxruntime;
    if (is_of("libturbojpeg") || is_of("libjpeg") || is_of("libpng") || is_of("libz."))
      return codec;
    if (symbol.find("to_message") != std::string_view::npos) return message;
    if (!is_of("libstdc++") && !is_of("libc.so")) is_own = true;
  }
  return ours;
}

void count() {
  if (!is_counting) return;
  is_counting = false;  // not what counting itself takes
  std::array<void*, 64> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  const Owner owner = owner_of(frames.data() + 2, std::max(0, depth - 2));
  ++counts[owner];
  if (owner == ours && std::getenv("HOT_PATH_TRACE") != nullptr) {
    backtrace_symbols_fd(frames.data(), depth, STDERR_FILENO);
  }
  is_counting = true;
}

}  // namespace

extern "C" {
void* malloc(std::size_t bytes) {
  count();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) {
  count();
  return __libc_calloc(number, bytes);
}
void* realloc(void* block, std::size_t bytes) {
  count();
  return __libc_realloc(block, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  count();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  count();
  *block = __libc_memalign(alignment, bytes);
  return *block == nullptr ? 12 : 0;
}
}

namespace andon::inspect {
namespace {

int run(const base::fs::path& model_path, const base::fs::path& images, std::size_t frames,
        std::size_t batch) {
  const vision::OnnxRuntime runtime;
  const base::SystemClock clock;
  ModelOptions options;
  options.parallelism.batch = batch;
  const auto model = load_model(runtime, vision::open_model(model_path), options);
  const auto settings = std::make_shared<const Settings>();
  InspectorOptions inspector_options;
  inspector_options.thing = "hot-path";
  Inspector inspector(std::move(inspector_options), clock);
  std::vector<base::fs::path> paths;
  for (const auto& entry : base::fs::directory_iterator(images)) {
    if (is_picture_name(entry.path().filename().string())) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::unique_ptr<Job>> owned;
  std::vector<Job*> jobs;
  for (std::size_t i = 0; i < batch; ++i) {
    jobs.push_back(owned.emplace_back(std::make_unique<Job>()).get());
  }
  std::array<void*, 4> frames_of_the_first{};  // backtrace() loads its library when first called
  (void)backtrace(frames_of_the_first.data(), 4);
  std::size_t detections = 0;
  const auto look = [&](std::size_t from, bool is_counted) {
    for (std::size_t i = 0; i < batch; ++i) {
      auto frame = open_picture(paths[(from + i) % paths.size()], std::move(jobs[i]->frame));
      jobs[i]->frame = std::move(frame.value());
      jobs[i]->model = model;
      jobs[i]->settings = settings;
    }
    is_counting = is_counted;
    inspector.look(0, jobs);
    is_counting = false;
    for (const Job* job : jobs) detections += job->inspection.detections.size();
  };
  // Until each buffer has met the largest picture and the fullest one.
  for (std::size_t i = 0; i < 2 * paths.size() * batch; i += batch) look(i, false);
  detections = 0;
  for (std::size_t i = 0; i < frames; i += batch) look(i, true);
  std::string text = fmt::format(
      "{{\"frames\": {}, \"batch\": {}, \"detections\": {}, "
      "\"allocations_a_frame\": {{",
      frames, batch, detections);
  for (std::size_t i = 0; i < kOwners; ++i) {
    text += fmt::format("{}\"{}\": {:.3f}", i == 0 ? "" : ", ", kNames[i],
                        static_cast<double>(counts[i]) / static_cast<double>(frames));
  }
  fmt::print("{}}}}}\n", text);
  return counts[ours] + counts[tensor_memory] == 0 ? 0 : 1;
}

}  // namespace
}  // namespace andon::inspect

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: hot_path MODEL IMAGES_DIR [FRAMES] [BATCH]\n");
    return 2;
  }
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? static_cast<std::size_t>(std::strtoul(argv[index], nullptr, 10))
                        : otherwise;
  };
  return andon::inspect::run(argv[1], argv[2], number(3, 1000),
                             std::max<std::size_t>(1, number(4, 1)));
}
