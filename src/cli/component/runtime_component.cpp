// SPDX-License-Identifier: Apache-2.0
#include "cli/component/runtime_component.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "cli/registry/registry.hpp"
#include "options/usage_error.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr const char* kLibraryName = "libonnxruntime.so.1";
constexpr std::string_view kProviderName = "libonnxruntime_providers_";
constexpr std::array<const char*, 2> kLicences{"LICENSE", "ThirdPartyNotices.txt"};

// e_machine of ELF's header (System V ABI, chapter 4) and what recipes call it.
struct Machine {
  unsigned code;
  const char* architecture;
};
constexpr std::array<Machine, 4> kMachines{
    {{62, "amd64"}, {183, "aarch64"}, {40, "arm"}, {243, "riscv64"}}};

struct Library {
  base::fs::path file;  // no link
  std::string architecture;
};

Library find_library(const base::fs::path& given) {
  base::fs::path file = base::fs::is_directory(given) ? given / kLibraryName : given;
  if (!base::fs::exists(file)) {
    throw Error(ErrorCode::not_found, file.string() +
                                          " is not there; name the library of ONNX "
                                          "Runtime, or a folder with " +
                                          kLibraryName);
  }
  file = base::fs::canonical(file);
  const auto architecture = program_architecture(file);
  if (!architecture) {
    throw Error(ErrorCode::invalid_argument,
                file.string() + " is no library of Linux for a processor that is known here");
  }
  return {std::move(file), *architecture};
}

std::string put(ServerClient& server, Terminal& terminal, const std::string& folder,
                const std::string& name, const base::fs::path& file) {
  const std::string key = folder + name;
  upload(*server, terminal, kComponentBucket, key, file);
  return fmt::format("s3://{}/{}", kComponentBucket, key);
}

// What it computes on beside the CPU (CUDA, OpenVINO, …): it looks for them in its own folder.
std::vector<base::fs::path> providers_beside(const Library& library) {
  std::vector<base::fs::path> found;
  for (const auto& entry : base::fs::directory_iterator(library.file.parent_path())) {
    if (!entry.is_regular_file() || entry.path().extension() != ".so") continue;
    if (!entry.path().filename().string().starts_with(kProviderName)) continue;
    if (program_architecture(entry.path()) == library.architecture) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

json::object manifest_of(ServerClient& server, Terminal& terminal, const std::string& version,
                         const Library& library) {
  const std::string folder =
      fmt::format("{}/{}/{}/", kRuntimeComponent, version, library.architecture);
  const json::object read_by_all{{"Read", "ALL"}};
  json::array artifacts{{{"Uri", put(server, terminal, folder, kLibraryName, library.file)},
                         {"Permission", read_by_all}}};
  for (const base::fs::path& provider : providers_beside(library)) {
    const std::string name = provider.filename();
    artifacts.push_back(json::object{{"Uri", put(server, terminal, folder, name, provider)},
                                     {"Permission", read_by_all}});
  }
  for (const char* const name : kLicences) {
    const base::fs::path licence = library.file.parent_path() / name;
    if (!base::fs::exists(licence)) continue;
    artifacts.push_back(json::object{{"Uri", put(server, terminal, folder, name, licence)},
                                     {"Permission", read_by_all}});
  }
  return {{"Platform", {{"os", "linux"}, {"architecture", library.architecture}, {"runtime", "*"}}},
          {"Lifecycle", json::object()},
          {"Artifacts", std::move(artifacts)}};
}

}  // namespace

std::optional<std::string> program_architecture(const base::fs::path& file) {
  std::array<char, 20> head{};
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(head.data(), head.size())) return std::nullopt;
  const std::string_view bytes(head.data(), head.size());
  constexpr char kLittleEndian = 1;
  if (!bytes.starts_with("\x7f"
                         "ELF") ||
      bytes[5] != kLittleEndian) {
    return std::nullopt;
  }
  const unsigned code = static_cast<unsigned char>(bytes[18]) |
                        static_cast<unsigned>(static_cast<unsigned char>(bytes[19])) << 8U;
  const auto* const found = std::find_if(kMachines.begin(), kMachines.end(),
                                         [&](const Machine& one) { return one.code == code; });
  if (found == kMachines.end()) return std::nullopt;
  return found->architecture;
}

ComponentVersion create_runtime(ServerClient& server, Terminal& terminal,
                                const RuntimeComponent& runtime) {
  std::vector<Library> libraries;
  std::set<std::string> architectures;
  for (const base::fs::path& given : runtime.libraries) {
    libraries.push_back(find_library(given));
    if (architectures.insert(libraries.back().architecture).second) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is a second library for {}; name one for each architecture",
                            given.string(), libraries.back().architecture));
  }
  std::string version = runtime.version;
  if (libraries.empty()) {
    const vision::OnnxRuntime own;
    libraries.push_back(find_library(own.path()));
    if (version.empty()) version = own.version();
  } else if (version.empty()) {
    const auto own_architecture = program_architecture("/proc/self/exe");
    const auto own = std::find_if(libraries.begin(), libraries.end(), [&](const Library& one) {
      return one.architecture == own_architecture;
    });
    if (own == libraries.end()) {
      throw options::UsageError(
          "none of the libraries is for this machine, so that its version cannot be asked for; "
          "give --version");
    }
    version = vision::OnnxRuntime(own->file).version();
  }
  json::array manifests;
  for (const Library& library : libraries) {
    manifests.push_back(manifest_of(server, terminal, version, library));
  }
  return create_component_version(
      server, {{"RecipeFormatVersion", "2020-01-25"},
               {"ComponentName", kRuntimeComponent},
               {"ComponentVersion", version},
               {"ComponentDescription", "ONNX Runtime, which inference runs on"},
               {"ComponentPublisher", "andon"},
               {"Manifests", std::move(manifests)}});
}

bool has_or_create_runtime(ServerClient& server, Terminal& terminal) {
  try {
    (void)component_versions(server, kRuntimeComponent);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
  }
  try {
    const vision::OnnxRuntime own;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::failed_precondition) throw;
    return false;
  }
  (void)create_runtime(server, terminal, {});
  return true;
}

}  // namespace andon::cli
