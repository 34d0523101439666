// SPDX-License-Identifier: Apache-2.0
// How the command line of a device reaches its agent: the component IPC at a socket of its own,
// which the file system opens to root (and a group) alone.
#pragma once

#include <string_view>

#include "edge/state/layout.hpp"
#include "wire/ipc/ipc_client.hpp"

namespace andon::edge {

inline constexpr std::string_view kControlSocket = "control.socket";

// Throws failed_precondition where no agent runs on that root, permission_denied for a user who is
// not let in.
[[nodiscard]] wire::IpcClientOptions control_options(const Layout& layout);

}  // namespace andon::edge
