// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/onnxruntime.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <malloc.h>

#include <array>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/split.hpp"
#include "vision/runtime/library_search.hpp"
#include "vision/runtime/onnxruntime_library.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

constexpr std::array<const char*, 2> kLibraryNames{"libonnxruntime.so.1", "libonnxruntime.so"};

struct Candidates {
  std::vector<fs::path> libraries;  // without a folder: looked for by the dynamic linker
  std::vector<fs::path> folders;    // that were searched
};

// Where to look, in order.
Candidates library_candidates(const fs::path& explicit_path) {
  Candidates result;
  const auto add_below = [&](const fs::path& folder) {
    for (fs::path& it : libraries_below(folder, result.folders)) {
      result.libraries.push_back(std::move(it));
    }
  };
  if (!explicit_path.empty()) {
    if (fs::is_directory(explicit_path)) {
      add_below(explicit_path);
    } else {
      result.libraries.push_back(explicit_path);
    }
    return result;
  }
  if (const char* root = std::getenv("ONNXRUNTIME_ROOT"); root != nullptr && *root != '\0') {
    add_below(root);
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  if (!program.empty()) {
    for (fs::path& it : libraries_around(program, result.folders)) {
      result.libraries.push_back(std::move(it));
    }
  }
  for (const char* name : kLibraryNames) result.libraries.emplace_back(name);
  return result;
}

OpenedLibrary open_library(const fs::path& explicit_path) {
  const Candidates candidates = library_candidates(explicit_path);
  std::vector<std::string> tried;
  for (const fs::path& folder : candidates.folders) tried.push_back(folder.string());
  for (const fs::path& candidate : candidates.libraries) {
    if (candidate.has_parent_path() && !fs::exists(candidate)) {
      tried.push_back(fmt::format("{}: not there", candidate.string()));
      continue;
    }
    // Not unloaded at the end: it keeps global objects that it does not take down.
    constexpr int kFlags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    if (void* handle = dlopen(candidate.c_str(), kFlags); handle != nullptr) {
      return {Library(handle), candidate};
    }
    if (!candidate.has_parent_path()) continue;  // one word for all that the linker knows
    const char* reason = dlerror();
    tried.push_back(fmt::format("{}: {}", candidate.string(), reason == nullptr ? "?" : reason));
  }
  if (explicit_path.empty()) tried.emplace_back("where the system's linker looks");
  // On one line, which a device's agent reports whole, and the remedy first.
  throw Error(ErrorCode::failed_precondition,
              fmt::format("ONNX Runtime is missing: put libonnxruntime.so.1 (1.{} or newer; "
                          "scripts/fetch-onnxruntime fetches it, as does pip install onnxruntime) "
                          "into /usr/local/lib and run ldconfig, or name its folder in "
                          "ONNXRUNTIME_ROOT. Looked in: {}",
                          abi::kApiVersion, base::join(std::span<const std::string>(tried), ", ")));
}

}  // namespace

void LibraryCloser::operator()(void* handle) const {
  dlclose(handle);
}

OnnxRuntime::Implementation::Implementation(const fs::path& explicit_path)
    : library(open_library(explicit_path)) {
  const auto get_base =
      reinterpret_cast<abi::GetApiBase>(dlsym(library.handle.get(), "OrtGetApiBase"));
  if (get_base == nullptr) {
    throw Error(
        ErrorCode::failed_precondition,
        fmt::format("{} is not ONNX Runtime: it has no OrtGetApiBase", library.path.string()));
  }
  // Where the linker found what has no folder in its name.
  Dl_info found{};
  if (dladdr(reinterpret_cast<void*>(get_base), &found) != 0 && found.dli_fname != nullptr) {
    library.path = found.dli_fname;
  }
  const abi::ApiBase* base = get_base();
  version = base->get_version_string();
  const void* const* slots = base->get_api(abi::kApiVersion);
  if (slots == nullptr) {
    throw Error(ErrorCode::failed_precondition,
                fmt::format("{} is ONNX Runtime {}; 1.{} or newer is needed", library.path.string(),
                            version, abi::kApiVersion));
  }
  api = abi::read_api(slots);
  operators = std::make_unique<Operators>(api);
  constexpr int kErrorsOnly = 3;
  check(api.create_env(kErrorsOnly, "andon", &env), "cannot start ONNX Runtime");
  constexpr int kDeviceAllocator = 0;
  constexpr int kDefaultMemory = 0;
  check(api.create_cpu_memory_info(kDeviceAllocator, kDefaultMemory, &allocator.memory_info),
        "cannot describe memory");
  check(api.register_allocator(env, &allocator), "cannot give ONNX Runtime its memory");
  is_registered = true;
  char** names = nullptr;
  int count = 0;
  check(api.get_providers(&names, &count), "cannot list execution providers");
  for (int i = 0; i < count; ++i) providers.emplace_back(names[i]);
  check(api.release_providers(names, count), "cannot free the list of execution providers");
}

OnnxRuntime::Implementation::~Implementation() {
  if (is_registered) {
    abi::Status* status = api.unregister_allocator(env, allocator.memory_info);
    if (status != nullptr) api.release_status(status);
  }
  if (env != nullptr) api.release_env(env);
  if (allocator.memory_info != nullptr) api.release_memory_info(allocator.memory_info);
}

std::string OnnxRuntime::Implementation::take_reason(abi::Status* status) const {
  std::string reason = api.get_error_message(status);
  api.release_status(status);
  while (reason.ends_with('\n')) reason.pop_back();
  return reason;
}

void OnnxRuntime::Implementation::check(abi::Status* status, std::string_view what_failed,
                                        ErrorCode code) const {
  if (status == nullptr) return;
  throw Error(code, fmt::format("{}: {}", what_failed, take_reason(status)));
}

OnnxRuntime::OnnxRuntime(const fs::path& explicit_path)
    : implementation_(std::make_unique<Implementation>(explicit_path)) {}
OnnxRuntime::~OnnxRuntime() = default;

const std::string& OnnxRuntime::version() const {
  return implementation_->version;
}
TensorMemory::Counts OnnxRuntime::memory() const {
  return implementation_->allocator.memory.counts();
}
void OnnxRuntime::release_unused_memory() const {
  implementation_->allocator.memory.release_unused();
  malloc_trim(0);
}
const fs::path& OnnxRuntime::path() const {
  return implementation_->library.path;
}

const std::vector<std::string>& OnnxRuntime::providers() const {
  return implementation_->providers;
}

}  // namespace andon::vision
