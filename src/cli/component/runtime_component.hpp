// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime as a component of its own, so that a device needs nothing but the agent, and a new
// model or program moves no byte of it. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/component/components.hpp"

namespace andon::cli {

inline constexpr const char* kRuntimeComponent = "andon.OnnxRuntime";

// The architecture that an ELF file of Linux was made for, as recipes call it ("amd64", "aarch64",
// "arm", "riscv64"); nothing for another kind of file.
[[nodiscard]] std::optional<std::string> program_architecture(const base::fs::path& file);

struct RuntimeComponent {
  // One an architecture, each a file or a folder with libonnxruntime.so.1; none: the one that this
  // program works with itself.
  std::vector<base::fs::path> libraries;
  std::string version;  // empty: what the library of this machine says
};
// The libraries, with the execution providers (libonnxruntime_providers_*.so) and licences that lie
// beside them, one manifest an architecture. Throws
// invalid_argument for a file that is none, or a second one of an architecture.
[[nodiscard]] ComponentVersion create_runtime(ServerClient& server, Terminal& terminal,
                                              const RuntimeComponent& runtime);

// Makes it of this machine's library where the server has none. False where neither is there: the
// device must have one of its own then.
[[nodiscard]] bool has_or_create_runtime(ServerClient& server, Terminal& terminal);

}  // namespace andon::cli
