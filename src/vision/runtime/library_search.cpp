// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/library_search.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace andon::vision {
namespace {

namespace fs = base::fs;

constexpr std::string_view kName = "libonnxruntime.so";
constexpr std::array<const char*, 2> kLinkNames{"libonnxruntime.so.1", "libonnxruntime.so"};

// {1, 28, 0} of libonnxruntime.so.1.28.0; nothing where it is another file.
std::vector<int> version_of(std::string_view name) {
  std::vector<int> version;
  if (!name.starts_with(kName)) return version;
  name.remove_prefix(kName.size());
  while (name.starts_with('.')) {
    int number = 0;
    const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
    if (error != std::errc{}) return {};
    version.push_back(number);
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  }
  return name.empty() ? version : std::vector<int>{};
}

// Subfolders of `folder` whose names begin so, in order.
std::vector<fs::path> folders_called(const fs::path& folder, std::string_view beginning) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored)) {
    if (it->path().filename().string().starts_with(beginning)) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void add_libraries_in(const fs::path& folder, std::vector<fs::path>& libraries) {
  std::error_code ignored;
  for (const char* name : kLinkNames) {
    if (fs::exists(folder / name, ignored)) libraries.push_back(folder / name);
  }
  std::vector<std::pair<std::vector<int>, fs::path>> versions;
  for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored)) {
    std::vector<int> version = version_of(it->path().filename().string());
    if (version.size() > 1) versions.emplace_back(std::move(version), it->path());
  }
  std::sort(versions.rbegin(), versions.rend());
  for (auto& it : versions) libraries.push_back(std::move(it.second));
}

}  // namespace

std::vector<fs::path> libraries_below(const fs::path& folder, std::vector<fs::path>& looked_in) {
  std::vector<fs::path> folders{folder, folder / "lib", folder / "lib64", folder / "capi",
                                folder / "onnxruntime/capi"};
  for (const fs::path& python : folders_called(folder / "lib", "python3")) {
    folders.push_back(python / "site-packages/onnxruntime/capi");
  }
  std::vector<fs::path> libraries;
  for (const fs::path& it : folders) add_libraries_in(it, libraries);
  looked_in.insert(looked_in.end(), folders.begin(), folders.end());
  return libraries;
}

std::vector<fs::path> libraries_around(const fs::path& program, std::vector<fs::path>& looked_in) {
  const fs::path folder = program.parent_path();
  const fs::path prefix = folder.parent_path();
  std::vector<fs::path> libraries;
  for (const fs::path& it : {folder, prefix / "lib"}) {
    for (const char* name : kLinkNames) libraries.push_back(it / name);
  }
  std::error_code ignored;
  if (fs::exists(prefix / "CMakeCache.txt", ignored)) {
    for (fs::path& it : libraries_below(prefix.parent_path() / "onnxruntime", looked_in)) {
      libraries.push_back(std::move(it));
    }
  }
  return libraries;
}

}  // namespace andon::vision
