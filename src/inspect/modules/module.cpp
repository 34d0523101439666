// SPDX-License-Identifier: Apache-2.0
#include "inspect/modules/module.hpp"

#include <dlfcn.h>

#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"

namespace andon::inspect {
namespace {

namespace fs = base::fs;

std::vector<fs::path> places(const char* file) {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  return {folder / file, folder / "../lib/andon" / file, file};
}

}  // namespace

void open_module(const ModuleName& name,
                 const std::function<std::optional<std::string>(void* entry)>& look) {
  std::string tried;
  for (const fs::path& place : places(name.file)) {
    void* module = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
      const char* why = dlerror();
      tried += fmt::format("\n  {}", why == nullptr ? place.string() : why);
      continue;
    }
    void* entry = dlsym(module, name.entry);
    if (entry == nullptr) {
      tried += fmt::format("\n  {} is not the module of andon-inspect", place.string());
      continue;
    }
    const auto problem = look(entry);
    if (!problem) return;
    tried += fmt::format("\n  {} {}", place.string(), *problem);
  }
  throw base::Error(base::ErrorCode::failed_precondition,
                    fmt::format("{}. Tried:{}", name.needs, tried));
}

}  // namespace andon::inspect
