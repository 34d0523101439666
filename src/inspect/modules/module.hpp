// SPDX-License-Identifier: Apache-2.0
// Room: modules. Parts of andon-inspect that need libraries which most devices do not have: shared
// objects beside the program, opened only where they are wanted. Each gives one table of C
// functions that begins with its version. Any thread.
#pragma once

#include <fmt/format.h>

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "inspect/modules/module_text.hpp"

namespace andon::inspect {

struct ModuleName {
  const char* file;   // "andon-inspect-modbus.so"
  const char* entry;  // the function that gives the table
  int version;
  const char* needs;  // for people: "Modbus needs ... and the Debian package ..."
};

// Calls `look` with the entry of each module that is found, until it has nothing to say against
// one: beside this program, in its ../lib/andon, then on the system's library path. Modules stay
// open: some do not stand being unloaded. Throws failed_precondition naming what to install.
void open_module(const ModuleName& name,
                 const std::function<std::optional<std::string>(void* entry)>& look);

// The table of the module, for as long as the program runs.
template <typename Functions>
[[nodiscard]] const Functions& functions_of(const ModuleName& name) {
  const Functions* functions = nullptr;
  open_module(name, [&](void* entry) -> std::optional<std::string> {
    functions = reinterpret_cast<const Functions* (*)()>(entry)();
    if (functions->version == name.version) return std::nullopt;
    return fmt::format("has version {}, not {}", functions->version, name.version);
  });
  return *functions;
}

// What a module says in words.
class ModuleReason {
 public:
  [[nodiscard]] ModuleText text() { return {buffer_.data(), buffer_.size()}; }
  [[nodiscard]] std::string string() const { return buffer_.data(); }

 private:
  std::array<char, 512> buffer_{};
};

}  // namespace andon::inspect
